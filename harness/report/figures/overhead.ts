/** @module Fig. 3: end-to-end time of a transaction, plain and through AFT, store by store. */
import { isEmulated, storeName } from "../format.ts";
import { type FigureDefinition, type FigureInput, sharedConfig, subtitle } from "./figure.ts";
import { coloursFor, latencyPanel, type PaperRow } from "./latency-panel.ts";
import { distinct, latencyRow } from "./rows.ts";

export const overheadFigure: FigureDefinition = {
  id: "overhead",
  title: "What atomicity costs: time of a transaction (paper: Fig. 3)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "overhead");
    if (runs.length === 0) return { kind: "missing" };
    const series = distinct(runs.map(({ cell }) => cell.system));
    const rowsOf = (emulated: boolean) =>
      runs
        .filter(({ cell }) => isEmulated(cell) === emulated)
        .map((run) => latencyRow(run, storeName(run.cell), run.cell.system));
    const panels = [
      { title: "measured on this machine (dynamodb, s3: npm emulators)", emulated: false },
      { title: "emulated cloud latencies, Lambda's included", emulated: true },
    ].flatMap(({ title, emulated }) => {
      const rows = rowsOf(emulated);
      if (rows.length === 0) return [];
      const groups = distinct(rows.map(({ group }) => group));
      return [
        latencyPanel({
          title,
          rows,
          paper: emulated ? paperRows(paper, groups, series) : [],
          groups,
          series,
          colours: coloursFor(series),
          xTitle: "",
        }),
      ];
    });
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: { text: overheadFigure.title, subtitle: subtitle(suite, "overhead") },
      config: sharedConfig,
      hconcat: panels,
      spacing: 28,
      resolve: { scale: { y: "independent" } },
    };
    return {
      kind: "figure",
      spec: spec as never,
      rows: [...rowsOf(false), ...rowsOf(true)],
    };
  },
};

function paperRows(
  { fig3 }: FigureInput["paper"],
  groups: readonly string[],
  series: readonly string[],
): PaperRow[] {
  return fig3.values
    .filter(({ storage, system }) => groups.includes(storage) && series.includes(system))
    .flatMap(({ storage, system, p50, p99 }) => [
      { group: storage, series: system, ms: p50, what: "paper p50" },
      { group: storage, series: system, ms: p99, what: "paper p99" },
    ]);
}
