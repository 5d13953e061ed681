/**
 * @module Fig. 4 to Fig. 6: time of a transaction over the levels of one factor, a panel per service,
 * the paper's points behind ours.
 */
import type { RunSummary } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import { storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle } from "./figure.ts";
import { coloursFor, latencyPanel } from "./latency-panel.ts";
import { distinct, latencyRow } from "./rows.ts";

function byLevel(options: {
  readonly id: string;
  readonly title: string;
  readonly xTitle: string;
  readonly levelOf: (run: RunSummary) => number;
  readonly paperOf: (paper: PaperNumbers) => PaperNumbers["fig4"];
}): FigureDefinition {
  const { id, title, xTitle, levelOf, paperOf } = options;
  return {
    id,
    title,
    build: ({ suite, paper }) => {
      const runs = suite.runs.filter(({ experiment }) => experiment === id);
      if (runs.length === 0) return { kind: "missing" };
      const series = distinct(runs.map(({ cell }) => cell.system));
      const rows = runs.map((run) => ({
        ...latencyRow(run, String(levelOf(run)), run.cell.system),
        store: storeName(run.cell),
      }));
      const groups = distinct(rows.map(({ group }) => group)).toSorted(
        (a, b) => Number(a) - Number(b),
      );
      const paperRows = paperOf(paper)
        .values.filter(
          ({ system, level }) => series.includes(system) && groups.includes(`${level}`),
        )
        .flatMap(({ storage, system, level, p50, p99 }) => [
          { storage, group: `${level}`, series: system, ms: p50, what: "paper p50" },
          { storage, group: `${level}`, series: system, ms: p99, what: "paper p99" },
        ]);
      const panels = distinct(rows.map(({ store }) => store)).map((store) =>
        latencyPanel({
          title: `${store} (emulated), Lambda's latency included`,
          rows: rows.filter((row) => row.store === store),
          paper: paperRows.filter(({ storage }) => storage === store),
          groups,
          series,
          colours: coloursFor(series),
          xTitle,
        }),
      );
      const spec = {
        $schema: "https://vega.github.io/schema/vega-lite/v6.json",
        title: { text: title, subtitle: subtitle(suite, id) },
        config: sharedConfig,
        hconcat: panels,
        spacing: 28,
      };
      return { kind: "figure", spec: spec as never, rows };
    },
  };
}

export const cachingSkewFigure = byLevel({
  id: "caching-skew",
  title: "What the data cache saves, skew by skew (paper: Fig. 4)",
  xTitle: "zipf exponent",
  levelOf: ({ cell }) => cell.zipfTheta,
  paperOf: ({ fig4 }) => fig4,
});

export const readShareFigure = byLevel({
  id: "read-share",
  title: "Ten operations, more and more of them reads (paper: Fig. 5)",
  xTitle: "reads, percent",
  levelOf: ({ cell }) => Number(cell["readPercent"]),
  paperOf: ({ fig5 }) => fig5,
});

export const transactionLengthFigure = byLevel({
  id: "transaction-length",
  title: "Time of a transaction over its functions (paper: Fig. 6)",
  xTitle: "functions, three operations each",
  levelOf: ({ cell }) => Number(cell["functions"]),
  paperOf: ({ fig6 }) => fig6,
});
