import fc from "fast-check";
import { expect, it } from "vitest";
import { type Reply, ReplyError, ReplyParser, ReplyProtocolError } from "./reply-parser.ts";

/** Replies as a replica would send them. */
const replies: fc.Arbitrary<Reply> = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(17_000, 66_000).map((size) => Buffer.alloc(size, size)),
    fc.integer(),
    fc.constant(null),
    fc.stringMatching(/^[ -~é]{0,20}$/),
    fc.stringMatching(/^[A-Z]{1,5} [ -~]{0,20}$/).map((text) => new ReplyError(text)),
    fc.array(tie("reply"), { maxLength: 4 }),
  ),
})).reply;

function encode(reply: Reply): Buffer {
  if (reply === null) return Buffer.from("$-1\r\n");
  if (typeof reply === "number") return Buffer.from(`:${reply}\r\n`);
  if (typeof reply === "string") return Buffer.from(`+${reply}\r\n`);
  if (reply instanceof ReplyError) return Buffer.from(`-${reply.message}\r\n`);
  if (Array.isArray(reply))
    return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
  return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from("\r\n")]);
}

/** Feeds pieces of the sizes given, in turn, through one buffer that each piece overwrites. */
function parse(bytes: Buffer, sizes: readonly number[]): Reply[] {
  const got: Reply[] = [];
  const parser = new ReplyParser(
    (reply) => got.push(reply),
    (items) => got.push(["pushed", ...items]),
  );
  const shared = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, bytes.length - at);
    shared.fill(0xff);
    bytes.copy(shared, 0, at, at + size);
    parser.feed(shared, size);
    shared.fill(0xee);
    at += size;
  }
  return got;
}

it.each([[1], [3], [64]])("tells pushes from answers, in pieces of %i", (size) => {
  const bytes = Buffer.from(
    "+LATER\r\n:1\r\n>2\r\n:7\r\n*1\r\n:8\r\n+LATE\r\n>2\r\n:9\r\n-ERR no\r\n",
  );
  const pushed = [
    ["pushed", 7, [8]],
    ["pushed", 9, new ReplyError("ERR no")],
  ];
  expect(parse(bytes, [size])).toEqual(["LATER", 1, pushed[0], "LATE", pushed[1]]);
});

it.each(["*1\r\n>1\r\n", ">0\r\n", ">-1\r\n"])(
  "refuses a push where there can be none: %j",
  (text) => {
    expect(() => parse(Buffer.from(text), [64])).toThrow("not the Redis protocol");
  },
);

it("gives back every reply, however it arrives, and keeps none of the bytes it was fed", () => {
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9_000 })),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(fc.array(replies, { maxLength: 6 }), sizes, (sent, pieces) => {
      expect(parse(Buffer.concat(sent.map(encode)), pieces)).toEqual(sent);
    }),
    { numRuns: 150 },
  );
});

it("gives values that do not share bytes", () => {
  const [one, other] = parse(Buffer.from("$3\r\nabc\r\n$3\r\ndef\r\n"), [64]);
  (one as Buffer).fill(0);
  expect(other).toEqual(Buffer.from("def"));
});

it.each([
  ["an unknown type", "?1\r\n"],
  ["no length", "$\r\n"],
  ["a length that is none", "$1x\r\nab\r\n"],
  ["a negative length but -1", "$-2\r\n"],
  ["a length beyond what a value may have", "$99999999999\r\n"],
  ["a value longer than it says", "$1\r\nab\r\n"],
  ["a value whose line end is cut", "$1\r\na\rb"],
  ["a line without CR", "+OK\n"],
  ["an empty line", "\r\n"],
  ["more items than an array may have", "*9999999\r\n"],
  ["arrays in arrays without end", "*1\r\n".repeat(9)],
  ["a line without end", `+${"x".repeat(70_000)}`],
])("refuses %s", (_what, text) => {
  for (const sizes of [[100_000], [1], [3, 2]])
    expect(() => parse(Buffer.from(text), sizes)).toThrow(ReplyProtocolError);
});
