/**
 * @module 1,000 histories of 30,000 operations with one stale read each, and as many valid ones:
 * `npm run nightly:checker-planted`.
 *
 * Exactly the levels that forbid the read must reject it, and the witness must contain it. Arguments:
 * count and seed. Exit code 1 if one is judged wrongly.
 */
import { generate } from "#harness/checker/generate.ts";
import { check } from "#harness/checker/check.ts";
import { HistoryBuilder } from "#harness/checker/history.ts";
import type { StaleLevel } from "#harness/checker/stale.ts";
import { judgePlanted } from "#harness/checker/testing/planted.ts";

const [count = "1000", firstSeed = "1"] = process.argv.slice(2);
const size = { sessions: 20, transactionsPerSession: 100, operations: 15, keys: 500 };
const forbidding: readonly StaleLevel[] = ["rc", "ra", "cc"];
const asked = ["rc", "ra", "cc"] as const;
const placed: Record<string, number> = { rc: 0, ra: 0, cc: 0, none: 0 };
const problems: string[] = [];
let done = 0;
for (let index = 0; done < Number(count); index += 1) {
  const options = { seed: Number(firstSeed) + index, ...size, theta: (index % 4) / 3 };
  const level = forbidding[index % 3] ?? "rc";
  const result = judgePlanted({ ...options, plant: { kind: "stale-read", level } }, asked);
  if (result.problem !== undefined) problems.push(result.problem);
  if (!result.placed) continue;
  placed[level] = (placed[level] ?? 0) + 1;
  done += 1;
  // Stale, but no level up to CC forbids it; and the same history as it was.
  const allowed = judgePlanted({ ...options, plant: { kind: "stale-read", level: "none" } }, asked);
  if (allowed.problem !== undefined) problems.push(allowed.problem);
  if (allowed.placed) placed["none"] = (placed["none"] ?? 0) + 1;
  const builder = new HistoryBuilder();
  generate(options, builder);
  for (const [valid, verdict] of Object.entries(check(builder.build(), { levels: asked })))
    if (verdict.kind !== "pass") problems.push(`valid history ${options.seed}: ${valid}`);
  if (done % 100 === 0) process.stderr.write(`${done} histories\n`);
}
console.log(JSON.stringify({ histories: done, placed, problems: problems.length }));
for (const problem of problems.slice(0, 10)) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
