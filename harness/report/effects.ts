/** @module Torn and repeated effects of requests that were tried again, as a table. Pure. */
import type { EffectCount } from "#harness/record/effects.ts";
import type { RunSummary } from "#harness/record/run.ts";

/** A section below the table of an experiment; empty without such runs. Counts need no valid times. */
export function formatEffects(runs: readonly RunSummary[]): string {
  const rows = runs.flatMap(({ cell, effects }) =>
    effects === undefined
      ? []
      : [
          [
            cell.platform,
            String(cell["retriedBy"] ?? "driver"),
            cell.system,
            cell.faults,
            String(effects.requests),
            String(effects.failedAttempts),
            formatCount(effects.torn),
            formatCount(effects.repeated),
          ],
        ],
  );
  if (rows.length === 0) return "";
  const head = ["platform", "tried again by", "system", "faults", "requests", "failed attempts"];
  const lines = [[...head, "torn", "repeated"], ...rows];
  const widths = lines[0]?.map((_title, at) =>
    Math.max(...lines.map((line) => (line[at] ?? "").length)),
  );
  const text = lines.map((line) =>
    `  ${line.map((part, at) => part.padEnd(widths?.[at] ?? 0)).join("  ")}`.trimEnd(),
  );
  return `\n\n  effects that others saw in part or twice: requests, a lower bound\n${text.join("\n")}`;
}

function formatCount({ requests, upperBoundPer10k }: EffectCount): string {
  return requests > 0 ? String(requests) : `0 (< ${upperBoundPer10k.toFixed(1)}/10k)`;
}
