/** @module Generates histories with one planted anomaly and tells what the checker makes of them. */
import { check } from "../check.ts";
import { generate, type GenerateOptions } from "../generate.ts";
import { HistoryBuilder } from "../history.ts";
import { type Level, levels, type Verdicts } from "../witness.ts";

export interface PlantedResult {
  readonly placed: boolean;
  /** What is wrong with the verdicts; undefined if nothing is. */
  readonly problem: string | undefined;
}

/** Whether exactly the levels that forbid the anomaly reject it, with the planted read as witness. */
export function judgePlanted(options: GenerateOptions, asked: readonly Level[]): PlantedResult {
  const builder = new HistoryBuilder();
  const planted = generate(options, builder);
  if (planted === undefined) return { placed: false, problem: undefined };
  const verdicts = check(builder.build(), { levels: asked });
  const from = planted.level === undefined ? levels.length : levels.indexOf(planted.level);
  const problems = asked.flatMap((level) => {
    const isForbidden = levels.indexOf(level) >= from;
    const verdict = verdicts[level];
    if (verdict?.kind !== (isForbidden ? "violation" : "pass"))
      return `${level} is ${verdict?.kind}, planted at ${planted.level}`;
    return isForbidden && !contains(verdicts, level, planted.read)
      ? `${level}: the witness misses the read`
      : [];
  });
  const where = `${JSON.stringify(options)}: ${problems.join("; ")}`;
  return { placed: true, problem: problems.length === 0 ? undefined : where };
}

function contains(
  verdicts: Verdicts,
  level: Level,
  read: { readonly transaction: number; readonly key: number; readonly value: number },
): boolean {
  const verdict = verdicts[level];
  if (verdict?.kind !== "violation") return false;
  const value = read.value === 0 ? "initial" : String(read.value);
  return verdict.witness.transactions.some(
    ({ name, operations }) =>
      name === String(read.transaction) &&
      operations.some(
        (one) => one.kind === "read" && one.key === String(read.key) && one.value === value,
      ),
  );
}
