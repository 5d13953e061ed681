/** Goal  The place of every mistake is there, once: a mutant that cannot be made proves nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ownRoot } from "#bench/ab-block/revision.ts";
import { mutants } from "./mutants.ts";
import { simMutants } from "./sim-mutant-list.ts";

it.each(
  [...mutants, ...simMutants].map(({ mistake, file, from, to }) => ({ mistake, file, from, to })),
)("$mistake", ({ file, from, to }) => {
  expect(readFileSync(join(ownRoot, file), "utf8").split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});
