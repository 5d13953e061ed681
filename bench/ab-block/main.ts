/**
 * @module Runs blocks of load on this checkout's code when told to (`protocol.ts`): function bodies and client
 * in this process, the replica, if the system has one, in another.
 */
import { createInterface } from "node:readline";
import { describeError, ProjectError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { Scope } from "#harness/experiment/scope.ts";
import { startReplica } from "#harness/services/replica.ts";
import { median, quantile } from "#harness/stats/quantile.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { runOperations } from "#workloads/functions/body.ts";
import { createPaperWorkload, type PaperParameters } from "#workloads/mixes/paper.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import {
  type BlockAnswer,
  type BlockCommand,
  blockProtocol,
  type BlockRunnerConfig,
} from "./protocol.ts";

const clock = createSystemClock();
/** Requests of a block have indices of their own. */
const indicesPerBlock = 1_000_000;

/** A transaction of a block did not commit, or the runner cannot be configured so. */
class BlockRunnerError extends ProjectError {
  readonly code = "ab_block";
  readonly disposition = "abort";
}

interface Running {
  readonly system: StateSystem;
  readonly counters: () => Promise<{ calls: number; bytes: number } | undefined>;
}

const scope = new Scope();
try {
  await serve(JSON.parse(process.env["AFT_AB_BLOCK"] ?? "{}") as BlockRunnerConfig);
  await scope.close();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  await scope.close();
  process.exit(1);
}

async function serve(config: BlockRunnerConfig): Promise<void> {
  if (config.protocol !== blockProtocol)
    throw new BlockRunnerError(`speaks protocol ${blockProtocol}, asked for ${config.protocol}`);
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent ends its runners in order.
  });
  const running = await start(config);
  const workload = createPaperWorkload(config.workload as unknown as PaperParameters, config.seed);
  await fill(running.system, workload);
  say({ ready: true, protocol: blockProtocol });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as BlockCommand;
    say(await runBlock({ running, workload, clients: config.clients, command }));
  }
}

async function start({ system, storage, settings }: BlockRunnerConfig): Promise<Running> {
  const target = parseStorageUrl(storage);
  if (system !== "aft") {
    const options = { storage: { target } };
    return {
      system: scope.own(await openStateSystem({ system, options })),
      counters: () => Promise.resolve(undefined),
    };
  }
  const replica = scope.own(await startReplica({ storage: { target }, settings }));
  const options = { endpoint: replica.endpoint };
  return {
    system: scope.own(await openStateSystem({ system, options })),
    counters: async () => {
      const { storage: counters } = await replica.stats();
      return { calls: counters.calls, bytes: counters.bytesRead + counters.bytesWritten };
    },
  };
}

async function runBlock(options: {
  readonly running: Running;
  readonly workload: Workload;
  readonly clients: number;
  readonly command: BlockCommand;
}): Promise<BlockAnswer> {
  const { running, workload, clients, command } = options;
  const before = await running.counters();
  const times: number[] = [];
  const startUs = clock.monotonicUs();
  const endUs = startUs + command.durationMs * 1_000;
  const client = async (number: number): Promise<void> => {
    let index = command.block * indicesPerBlock;
    for (; clock.monotonicUs() < endUs; index += 1) {
      const begunUs = clock.monotonicUs();
      await runTransaction(running.system, workload.request(number, index), workload.valueBytes);
      times.push(clock.monotonicUs() - begunUs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_unused, number) => client(number)));
  const seconds = (clock.monotonicUs() - startUs) / 1_000_000;
  const after = await running.counters();
  return {
    block: command.block,
    transactions: times.length,
    seconds,
    p50Us: median(times),
    p90Us: quantile(times, 0.9),
    p99Us: quantile(times, 0.99),
    timesUs: times.map(Math.round),
    ...(before !== undefined &&
      after !== undefined && {
        storage: { calls: after.calls - before.calls, bytes: after.bytes - before.bytes },
      }),
  };
}

async function runTransaction(
  system: StateSystem,
  request: PlannedRequest,
  valueBytes: number,
): Promise<void> {
  let session = system.begin({ requestId: request.requestId });
  let sequenceBase = 0;
  for (const [index, operations] of request.functions.entries()) {
    if (index > 0) session = system.resume(await session.suspend());
    const { requestId, writeSet, payloadSeed } = request;
    const plan = { requestId, operations, writeSet, payloadSeed, sequenceBase, valueBytes };
    await runOperations({ session, plan, clock, recorded: [] });
    sequenceBase += operations.length;
  }
  const outcome = await session.commit();
  if (outcome.kind !== "committed")
    throw new BlockRunnerError(`${request.requestId} did not commit: ${outcome.reason}`);
}

async function fill(system: StateSystem, workload: Workload): Promise<void> {
  const keys = [...workload.keys()];
  for (let first = 0; first < keys.length; first += 100) {
    const part = keys.slice(first, first + 100);
    const request = {
      requestId: `fill-${first}`,
      functions: [[{ kind: "writeMany" as const, keys: part }]],
      writeSet: part.slice(0, 1),
      payloadSeed: first,
    };
    await runTransaction(system, request, workload.valueBytes);
  }
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
