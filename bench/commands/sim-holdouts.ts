/** @module Which real runs `sim --scale` predicts, to be held against what they were. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ownRoot } from "#bench/ab-block/revision.ts";
import { readManifest, readSummary } from "#harness/record/run-directory.ts";
import type { RunSummary } from "#harness/record/run.ts";
import type { ScaleConfig } from "#harness/sim/scale/scale.ts";

export interface HeldOut {
  readonly summary: RunSummary;
  /** Of the machine it ran on: all its processes shared them. */
  readonly cores: number;
}

/** Runs of several replicas; the simulator's costs come from one of one replica. */
const reference = join(ownRoot, "results", "reference", "runs", "scaling-replicas");

/**
 * Those named; else those of the committed reference run under the same emulation.
 *
 * @param named  `false`: none.
 */
export async function readHeldOut(
  named: readonly string[] | false,
  emulation: ScaleConfig["emulation"],
): Promise<readonly HeldOut[]> {
  if (named === false) return [];
  if (named.length > 0) return Promise.all(named.map(read));
  if (!existsSync(reference)) return [];
  const names = (await readdir(reference)).toSorted();
  const runs = await Promise.all(names.map((name) => read(join(reference, name))));
  const replicasOf = ({ summary }: HeldOut): number => Number(summary.cell["replicas"] ?? 1);
  return runs
    .filter(({ summary }) => summary.valid && summary.cell.emulation === emulation)
    .filter((run) => replicasOf(run) > 1)
    .toSorted((a, b) => replicasOf(a) - replicasOf(b));
}

async function read(directory: string): Promise<HeldOut> {
  const [summary, manifest] = await Promise.all([readSummary(directory), readManifest(directory)]);
  return { summary, cores: manifest.machine.cores };
}
