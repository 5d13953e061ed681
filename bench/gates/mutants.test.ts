/**
 * Goal    The self-test of the gates can still make its changes; it runs at night, the code changes by day.
 * Method  The real file.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mutants, mutate, mutatedFile } from "./mutants.ts";

it.each(Object.entries(mutants))("finds the place for %s", (_name, inserted) => {
  const text = readFileSync(join(import.meta.dirname, "../..", mutatedFile), "utf8");
  const mutated = mutate(text, inserted);
  expect(mutated).toContain(inserted);
  expect(mutated?.replace(inserted, "")).toBe(text);
  // What the inserted code uses.
  expect(text).toContain("#engine");
});
