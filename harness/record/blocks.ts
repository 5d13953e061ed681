/** @module Figures of a run's blocks, which intervals are made from. Pure. */
import { median } from "#harness/stats/quantile.ts";
import type { AttemptRecord } from "./attempts.ts";
import type { Measurements } from "./measurements.ts";

/** Per measured block, in order: median response time and goodput. Blocks without a commit are left out. */
export function blockFiguresOf(
  attempts: readonly AttemptRecord[],
  { blocks }: Pick<Measurements, "blocks">,
): { medianUs: number[]; throughputPerSecond: number[] } {
  const medianUs: number[] = [];
  const throughputPerSecond: number[] = [];
  for (const { block, startUs, endUs } of blocks) {
    const finals = attempts.filter((attempt) => attempt.block === block && attempt.final);
    const committed = finals.filter(({ outcome }) => outcome === "committed").length;
    if (committed === 0) continue;
    medianUs.push(median(finals.map((attempt) => attempt.endUs - attempt.dueUs)));
    throughputPerSecond.push(committed / ((endUs - startUs) / 1_000_000));
  }
  return { medianUs, throughputPerSecond };
}
