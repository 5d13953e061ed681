/**
 * Goal    Objects behind HTTP keep the state contract, also where neither Restate nor workerd is installed; what a
 *         server refuses is told apart from what it did not get.
 * Method  The worker's own code behind Node's HTTP server on loopback; answers are lost and refusals made up.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { startRelay } from "#harness/services/testing/relay.ts";
import { durableRoutes } from "#shim/durable-objects/routes.ts";
import { createRuntime } from "#shim/durable-objects/testing/runtime.ts";
import worker from "#shim/durable-objects/worker.ts";
import { openStateSystem, type StateSystemSpec } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import { ObjectClient } from "./object-client.ts";
import type { WriteHead } from "./frame.ts";

const clock = createSystemClock();
const runtime = createRuntime();
const head: WriteHead = { request: "r", step: 1, attempt: "a", call: "c" };
const value = new TextEncoder().encode("value");

let server: Server;
let port = 0;
/** Answered instead, if set. */
let refusal: { readonly status: number; readonly text: string } | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      if (refusal !== undefined) {
        response.writeHead(refusal.status).end(refusal.text);
        return;
      }
      const body = Buffer.concat(parts);
      const asked = new Request(`http://objects${request.url}`, { method: "POST", body });
      void worker.fetch(asked, runtime).then(async (answer) => {
        response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const specFor = (at: number): StateSystemSpec => ({
  system: "durable-objects",
  options: { storage: { target: { engine: "workerd", endpoint: `http://127.0.0.1:${at}` } } },
});

describeContract("state contract: objects behind HTTP", stateContract, () =>
  openStateContract({
    promises: ["exactly-once"],
    clock,
    open: () => openStateSystem(specFor(port)),
  }),
);

describe("a call", () => {
  const settings = { timeoutMs: 30_000, maxConnections: 4 };
  const clientOf = (at: number): ObjectClient =>
    new ObjectClient(
      { ...durableRoutes, maxValueBytes: 1_000 },
      { ...settings, endpoint: `http://127.0.0.1:${at}` },
    );

  it.each([
    [413, "limit_exceeded", "abort"],
    [429, "storage_unavailable", "retry"],
    [503, "storage_unavailable", "retry"],
    [404, "refused", "bug"],
  ])("that is answered with %d rejects with %s, to %s", async (status, code, disposition) => {
    const client = clientOf(port);
    refusal = { status, text: "the reason" };
    try {
      const message = expect.stringMatching(/^durable-objects: status \d+: the reason$/);
      const error = { code, disposition, message };
      await expect(client.write("k", head, value)).rejects.toMatchObject(error);
      await expect(client.read("k")).rejects.toMatchObject(error);
    } finally {
      refusal = undefined;
      client.close();
    }
  });

  it("with more than the product takes is not sent", async () => {
    const client = clientOf(port);
    const large = client.write("k", head, new Uint8Array(1_001));
    await expect(large).rejects.toMatchObject({ code: "limit_exceeded", disposition: "abort" });
    expect(client.counters()).toEqual({ calls: 0, bytesRead: 0, bytesWritten: 0 });
    client.close();
  });

  it("whose connection is gone is sent once more, and one that nobody answers is not", async () => {
    const relay = await startRelay(port);
    const client = clientOf(relay.port);
    await client.read("relayed");
    const before = client.counters().calls;
    relay.loseAnswers();
    expect(await client.write("relayed", head, value)).toEqual({ attempt: "a", call: "c" });
    expect(client.counters().calls - before).toBe(2);
    expect(await client.read("relayed")).toEqual(Buffer.from(value));
    await relay.stop();
    await expect(client.read("relayed")).rejects.toMatchObject({ code: "storage_unavailable" });
    client.close();
  });
});
