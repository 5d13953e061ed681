import fc from "fast-check";
import { Command } from "ioredis";
import { expect, it } from "vitest";
import { EncodedCommand } from "./encoded-command.ts";

it("encodes what the library encodes, byte for byte", () => {
  const arbText = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constant(""));
  const arbBytes = fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes));
  const arbArguments = fc.array(fc.oneof(arbText, arbBytes), { maxLength: 12 });
  fc.assert(
    fc.property(arbArguments, (args) => {
      const theirs = Buffer.from(new Command("aft.set", [...args]).toWritable({}));
      expect(Buffer.from(new EncodedCommand("aft.set", [...args]).toWritable())).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
});
