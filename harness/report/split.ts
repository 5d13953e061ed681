/** @module Where the time of requests went, as a table. Pure. */
import type { RunSummary, SplitTimes } from "#harness/record/run.ts";

/** Parts in the order a request passes them. */
export const splitParts = [
  { title: "client", of: ({ clientUs }) => clientUs },
  { title: "platform", of: ({ platformUs }) => platformUs },
  { title: "function", of: ({ functionUs }) => functionUs },
  { title: "shim", of: ({ shimUs }) => shimUs },
  { title: "storage", of: ({ storageUs }) => storageUs },
  { title: "init", of: ({ initMs }) => inUs(initMs) },
  { title: "billed", of: ({ billedMs }) => inUs(billedMs) },
] as const satisfies readonly {
  readonly title: string;
  readonly of: (times: SplitTimes) => number | null;
}[];

/** A section below the table of an experiment; empty without such runs. */
export function formatSplits(runs: readonly RunSummary[]): string {
  const rows = runs.flatMap((run) =>
    (["cold", "warm"] as const).flatMap((kind) => {
      const times = run.split?.[kind];
      return times === undefined || times === null ? [] : [rowOf(run, kind, times)];
    }),
  );
  if (rows.length === 0) return "";
  const head = ["platform", "system", "", "n", "p50", "p25–p75", "mean"];
  const lines = [[...head, ...splitParts.map(({ title }) => title)], ...rows];
  const widths = lines[0]?.map((_title, at) =>
    Math.max(...lines.map((line) => (line[at] ?? "").length)),
  );
  const text = lines.map((line) =>
    `  ${line.map((part, at) => part.padEnd(widths?.[at] ?? 0)).join("  ")}`.trimEnd(),
  );
  return `\n\n  where the time goes: ms a request; parts are means, init and billed as the service reports them\n${text.join("\n")}`;
}

function rowOf(run: RunSummary, kind: string, times: SplitTimes): string[] {
  const { cell } = run;
  const { p25, p50, p75, mean } = times.totalUs;
  return [
    cell.platform,
    cell.system,
    kind,
    String(times.requests),
    formatPart(p50),
    `${formatPart(p25)}–${formatPart(p75)}`,
    formatPart(mean),
    ...splitParts.map(({ title, of }) => {
      const us = of(times);
      return us === null ? whyNot({ title, run, kind, times }) : formatPart(us);
    }),
  ];
}

/** Never 0 for what is not known. */
function whyNot(of: {
  readonly title: string;
  readonly run: RunSummary;
  readonly kind: string;
  readonly times: SplitTimes;
}): string {
  const { title, kind } = of;
  const { cell } = of.run;
  const { stateUs, billedMs } = of.times;
  // A service that reports does so for starts only.
  if (title === "init" && kind === "warm" && billedMs !== null) return "no start";
  if (title === "shim" && cell.system === "direct") return "no shim";
  if (title === "shim") return `${formatPart(stateUs)} with storage`;
  if (title === "storage") return "(in shim)";
  return "not reported";
}

function formatPart(us: number): string {
  const ms = us / 1_000;
  return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}

function inUs(ms: number | null): number | null {
  return ms === null ? null : ms * 1_000;
}
