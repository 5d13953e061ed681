import fc from "fast-check";
import { Command } from "ioredis";
import { expect, it } from "vitest";
import { CommandBuffer } from "./command-buffer.ts";

it("encodes what the library encodes, byte for byte, whatever was there before", () => {
  const buffer = new CommandBuffer();
  const arbText = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constant(""));
  const arbBytes = fc
    .uint8Array({ maxLength: 5_000, size: "max" })
    .map((bytes) => Buffer.from(bytes));
  const arbArguments = fc.array(fc.oneof(arbText, arbBytes), { maxLength: 12 });
  const lengths = new Set<number>();
  fc.assert(
    fc.property(arbArguments, (args) => {
      buffer.begin("aft.set", args.length);
      for (const arg of args) {
        lengths.add(String(arg.length).length);
        if (typeof arg === "string") buffer.text(arg);
        else buffer.bytes(arg);
      }
      const ours = Buffer.from(buffer.command().toWritable({}));
      const theirs = Buffer.from(new Command("aft.set", [...args]).toWritable({}));
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 300 },
  );
  expect(lengths).toEqual(new Set([1, 2, 3, 4]));
});

it("is not kept once it has grown for a large command", () => {
  const buffer = new CommandBuffer();
  buffer.begin("set", 1);
  buffer.bytes(Buffer.alloc(1_000_000));
  expect(buffer.isWorthKeeping).toBe(true);
  buffer.begin("set", 1);
  buffer.bytes(Buffer.alloc(2_000_000));
  expect(buffer.isWorthKeeping).toBe(false);
});
