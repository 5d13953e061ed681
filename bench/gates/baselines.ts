/** @module The baseline of the exact gates: a file in the repository, so that a change is a diff. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigError } from "#kit/errors.ts";
import type { ExactBaseline } from "#harness/gate/exact.ts";
import { stableJson } from "#harness/record/stable-json.ts";

export const exactBaselinePath = fileURLToPath(
  new URL("../../results/baselines/exact.json", import.meta.url),
);

const counts = z.record(z.string(), z.number().int());
const baseline = z.object({
  schemaVersion: z.literal(1),
  parameters: z.record(z.string(), z.number()),
  cases: z.record(z.string(), counts.and(z.object({ committed: z.number().int() }))),
});

/** Rejects with `ConfigError` when there is no readable baseline. */
export async function readExactBaseline(path = exactBaselinePath): Promise<ExactBaseline> {
  try {
    return baseline.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    const hint = "npm run baseline:update writes one; review it as a diff";
    throw new ConfigError([{ where: path, what: "is no baseline of exact counts", hint }], {
      cause,
    });
  }
}

export async function writeExactBaseline({ parameters, cases }: ExactBaseline): Promise<void> {
  await writeFile(exactBaselinePath, stableJson({ schemaVersion: 1, parameters, cases }));
}
