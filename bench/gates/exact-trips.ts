/**
 * @module What a client says to a replica, per transaction of two functions: commands, and trips, which are
 * what a function waits for. Counted on the wire, by a relay between the real client and the real
 * server; real time passes, but one client waits for each answer, so no count depends on it.
 */
import { connect, createServer, type Server } from "node:net";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { Scope } from "#harness/experiment/scope.ts";
import type { ExactCase } from "#harness/gate/exact.ts";
import { startReplica } from "#harness/services/replica.ts";
import { RespParser } from "#shim/aft/server/resp-parser.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { runOperations } from "#workloads/functions/body.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import { ExactRunError, exactParameters } from "./exact-parts.ts";

const limits = {
  maxArguments: 10_000,
  maxBulkBytes: 2 ** 24,
  maxCommandBytes: 2 ** 26,
  maxInlineBytes: 65_536,
};

interface Counts {
  commands: number;
  trips: number;
}

export async function runTripsCase(): Promise<ExactCase> {
  const scope = new Scope();
  try {
    const replica = scope.own(await startReplica({ storage: { target: { engine: "memory" } } }));
    const counts: Counts = { commands: 0, trips: 0 };
    const port = await relayTo(replica.endpoint, counts, scope);
    const system = scope.own(
      await openStateSystem({ system: "aft", options: { endpoint: `127.0.0.1:${port}` } }),
    );
    const workload = createPaperWorkload(exactParameters, exactParameters.seed);
    const clock = createSystemClock();
    const run = async (index: number): Promise<void> => {
      const request = workload.request(0, index);
      let session = system.begin({ requestId: request.requestId });
      let sequenceBase = 0;
      for (const [position, operations] of request.functions.entries()) {
        if (position > 0) session = system.resume(await session.suspend());
        const { requestId, writeSet, payloadSeed } = request;
        const { valueBytes } = workload;
        const plan = { requestId, operations, writeSet, payloadSeed, sequenceBase, valueBytes };
        await runOperations({ session, plan, clock, recorded: [] });
        sequenceBase += operations.length;
      }
      const outcome = await session.commit();
      if (outcome.kind !== "committed") throw new ExactRunError(`not committed: ${outcome.reason}`);
    };
    // Connections and their greetings are not part of a transaction.
    await run(-1 + exactParameters.transactions * 2);
    const before = { ...counts };
    for (let index = 0; index < exactParameters.transactions; index += 1) await run(index);
    return {
      committed: exactParameters.transactions,
      clientCommands: counts.commands - before.commands,
      clientTrips: counts.trips - before.trips,
    };
  } finally {
    await scope.close();
  }
}

/** Listens on loopback and passes everything on; the port. */
async function relayTo(endpoint: string, counts: Counts, scope: Scope): Promise<number> {
  const server = createServer((client) => {
    const replica = connect(
      endpoint.startsWith("unix:")
        ? { path: endpoint.slice("unix:".length) }
        : { host: "127.0.0.1", port: Number(endpoint.split(":")[1]) },
    );
    // The client is being waited on as long as nothing came back since its last word.
    let asking = false;
    const parser = new RespParser(limits, (request) => {
      if (!request.text(0).toUpperCase().startsWith("AFT.")) return;
      counts.commands += 1;
      if (!asking) counts.trips += 1;
      asking = true;
    });
    client.on("data", (chunk) => {
      parser.feed(Buffer.from(chunk));
      replica.write(chunk);
    });
    replica.on("data", (chunk) => {
      asking = false;
      client.write(chunk);
    });
    const end = (): void => {
      client.destroy();
      replica.destroy();
    };
    for (const socket of [client, replica]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  scope.add(() => closed(server));
  const address = server.address();
  if (address === null || typeof address === "string") throw new ExactRunError("no port");
  return address.port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
