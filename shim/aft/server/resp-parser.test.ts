/**
 * Goal    Requests are parsed the same however the stream is cut and whatever happens to received bytes
 *         afterwards, and hostile ones end in a typed error with bounded memory: 100,000 seeded inputs.
 * Replay  SEED=<printed seed> npx vitest run --project unit resp-parser
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPrng, type Prng } from "#kit/prng.ts";
import { type RespLimits, RespParser, RespProtocolError } from "./resp-parser.ts";

const limits: RespLimits = {
  maxArguments: 64,
  maxBulkBytes: 4_096,
  maxCommandBytes: 16_384,
  maxInlineBytes: 512,
};
const seed = Number(process.env["SEED"] ?? 20_261_124);

function encode(command: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const arg of command)
    parts.push(Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from("\r\n"));
  return Buffer.concat(parts);
}

function parse(chunks: readonly Buffer[]): string[][] {
  const commands: string[][] = [];
  const parser = new RespParser(limits, (request) => {
    commands.push(request.copies().map((arg) => arg.toString("latin1")));
  });
  for (const chunk of chunks) parser.feed(chunk);
  return commands;
}

/** Several connections that read into one buffer in turns, each time over what was there before. */
function parseInOneBuffer(streams: readonly Buffer[], room: number, cuts: readonly number[]) {
  const bytes = Buffer.alloc(room + Math.max(...cuts));
  const connections = streams.map((stream) => {
    const kept: Buffer[][] = [];
    const parser = new RespParser(limits, (request) => {
      kept.push(request.copies());
    });
    return { stream, at: 0, kept, parser };
  });
  for (let turn = 0; connections.some(({ stream, at }) => at < stream.length); turn += 1) {
    const connection = connections[turn % connections.length];
    const size = cuts[turn % cuts.length] ?? 1;
    if (connection === undefined || connection.at >= connection.stream.length) continue;
    bytes.fill(turn);
    const part = connection.stream.subarray(connection.at, connection.at + size);
    part.copy(bytes, room);
    connection.at += part.length;
    connection.parser.feed(bytes, room, room + part.length);
  }
  bytes.fill(0xff);
  return connections.map(({ kept }) =>
    kept.map((command) => command.map((arg) => arg.toString("latin1"))),
  );
}

describe("RespParser", () => {
  const arbCommand = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 });

  it("parses the same commands however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(arbCommand, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        (commands, cuts) => {
          const stream = Buffer.concat(commands.map(encode));
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          const expected = commands.map((command) =>
            command.map((arg) => Buffer.from(arg).toString("latin1")),
          );
          expect(parse(chunks)).toEqual(expected);
        },
      ),
      { numRuns: 1_000, seed },
    );
  });

  it("keeps nothing of the bytes it was fed, which connections share", () => {
    const places = { held: 0, joined: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.array(arbCommand, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0, 8, 64, 1_024),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 30 }),
        (connections, room, cuts) => {
          const streams = connections.map((commands) => Buffer.concat(commands.map(encode)));
          if (streams.some((stream) => stream.length > 90))
            places[room > 0 ? "held" : "joined"] += 1;
          const expected = connections.map((commands) =>
            commands.map((command) => command.map((arg) => Buffer.from(arg).toString("latin1"))),
          );
          expect(parseInOneBuffer(streams, room, cuts)).toEqual(expected);
        },
      ),
      { numRuns: 1_000, seed },
    );
    expect(Math.min(places.held, places.joined)).toBeGreaterThan(50);
  });

  it("takes inline commands, as typed by hand", () => {
    expect(parse([Buffer.from("PING\r\n  set  a b \n\r\n")])).toEqual([
      ["PING"],
      ["set", "a", "b"],
    ]);
  });

  it.each([
    ["too many arguments", "*65\r\n"],
    ["a huge array", "*999999999\r\n"],
    ["a huge argument", "*1\r\n$999999999\r\n"],
    ["a negative argument", "*1\r\n$-1\r\n"],
    ["a length without digits", "*\r\n"],
    ["a length of letters", "*1\r\n$x\r\n"],
    ["an endless length", `*${"1".repeat(50)}`],
    ["no dollar", "*1\r\n+OK\r\n"],
    ["an argument longer than it says", "*1\r\n$1\r\nab\r\n"],
    ["an endless inline command", "x".repeat(600)],
  ])("refuses %s", (_what, text) => {
    expect(() => parse([Buffer.from(text)])).toThrow(RespProtocolError);
  });

  it("keeps nothing beyond its limits of 100,000 hostile inputs, and never throws anything else", () => {
    const prng = createPrng(seed);
    let refused = 0;
    let understood = 0;
    for (let input = 0; input < 100_000; input += 1) {
      const parser = new RespParser(limits, () => {
        understood += 1;
      });
      const stream = hostileInput(prng);
      try {
        for (let at = 0; at < stream.length;) {
          const size = 1 + prng.nextInt(stream.length);
          parser.feed(stream.subarray(at, at + size));
          at += size;
          expect(parser.heldBytes).toBeLessThanOrEqual(limits.maxCommandBytes);
        }
      } catch (error) {
        if (!(error instanceof RespProtocolError)) throw error;
        refused += 1;
      }
    }
    // A generator that only makes nonsense, or none, tests nothing.
    expect(refused).toBeGreaterThan(10_000);
    expect(understood).toBeGreaterThan(10_000);
  }, 60_000);
});

const fragments = [
  "*",
  "$",
  "\r\n",
  "\n",
  "-1",
  "0",
  "3",
  "99999999999",
  "+",
  ":",
  "GET",
  "AFT.SET",
  " ",
  "\0",
];

/** A valid stream damaged in one of several ways, or plain nonsense. */
export function hostileInput(prng: Prng): Buffer {
  const command = Array.from({ length: 1 + prng.nextInt(4) }, () =>
    Buffer.from(prng.nextBytes(prng.nextInt(20))),
  );
  const valid = encode(command);
  const at = prng.nextInt(valid.length);
  switch (prng.nextInt(6)) {
    case 0:
      return valid;
    case 1: {
      const damaged = Buffer.from(valid);
      damaged[at] = prng.nextInt(256);
      return damaged;
    }
    case 2:
      return valid.subarray(0, at);
    case 3: {
      const fragment = fragments[prng.nextInt(fragments.length)] ?? "";
      return Buffer.concat([valid.subarray(0, at), Buffer.from(fragment), valid.subarray(at)]);
    }
    case 4:
      return Buffer.from(prng.nextBytes(1 + prng.nextInt(64)));
    default: {
      const count = 1 + prng.nextInt(12);
      const drawn = Array.from({ length: count }, () => fragments[prng.nextInt(fragments.length)]);
      return Buffer.from(drawn.join(""));
    }
  }
}
