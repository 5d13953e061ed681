/**
 * Goal    Accepted sockets of this version of Node read into the shared buffer, and lose nothing by it.
 * Method  Real sockets: bytes in pieces on several connections at once, pauses, ends. That it falls back
 *         to chunks elsewhere would go unnoticed otherwise.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { ReadBuffer } from "./read-buffer.ts";

const stops: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Received {
  readonly attached: boolean;
  readonly socket: Socket;
  readonly parts: Buffer[];
  readonly ended: Promise<unknown>;
}

async function listen(at: { host: string; port: number } | { path: string }) {
  const readBuffer = new ReadBuffer();
  const accepted: Received[] = [];
  const server: Server = createServer((socket) => {
    const parts: Buffer[] = [];
    const attached = readBuffer.attach(socket, (bytes, start, end) => {
      parts.push(Buffer.from(bytes.subarray(start, end)));
      // Whoever reads next finds what the last one has left in front.
      bytes.fill(0, 0, start);
    });
    accepted.push({ attached, socket, parts, ended: once(socket, "close") });
  });
  stops.push(() => void server.close());
  await new Promise<void>((resolve) => server.listen(at, resolve));
  return { server, accepted };
}

it.each(["tcp", "unix"])("reads all of what several %s clients send in pieces", async (kind) => {
  const folder = await mkdtemp(join(tmpdir(), "aft-read-"));
  stops.push(() => rm(folder, { recursive: true }));
  const path = join(folder, "socket");
  const { server, accepted } = await listen(
    kind === "unix" ? { path } : { host: "127.0.0.1", port: 0 },
  );
  const address = server.address();
  const at = typeof address === "object" && address !== null ? { port: address.port } : { path };
  const prng = createPrng(7);
  const sent = await Promise.all(
    [1, 2, 3].map(async () => {
      const client = connect(at);
      stops.push(() => void client.destroy());
      await once(client, "connect");
      const bytes = Buffer.from(prng.nextBytes(300_000));
      for (let start = 0; start < bytes.length; start += 40_000)
        if (!client.write(bytes.subarray(start, start + 40_000))) await once(client, "drain");
      client.end();
      return bytes;
    }),
  );
  // The kernel takes everything from a client that was not accepted yet.
  while (accepted.length < sent.length) await new Promise(setImmediate);
  await Promise.all(accepted.map(({ ended }) => ended));
  expect(accepted.map(({ attached }) => attached)).toEqual([true, true, true]);
  const received = accepted.map(({ parts }) => Buffer.concat(parts).toString("base64"));
  expect(received.toSorted()).toEqual(sent.map((bytes) => bytes.toString("base64")).toSorted());
});

it("reads nothing while it is paused, and the rest after", async () => {
  const { server, accepted } = await listen({ host: "127.0.0.1", port: 0 });
  const address = server.address();
  const client = connect(typeof address === "object" && address !== null ? address.port : 0);
  stops.push(() => void client.destroy());
  client.write("first");
  while (accepted[0]?.parts.length !== 1) await new Promise(setImmediate);
  const [{ socket, parts }] = accepted as [Received];
  socket.pause();
  client.write("second");
  // Comes behind it on the same loop: a byte that was not held back would be here by then.
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect(parts.map(String)).toEqual(["first"]);
  socket.resume();
  while (parts.length < 2) await new Promise(setImmediate);
  expect(parts.map(String)).toEqual(["first", "second"]);
});

it("takes no socket that is not one of the system's", () => {
  expect(new ReadBuffer().attach(new Socket(), () => {})).toBe(false);
});
