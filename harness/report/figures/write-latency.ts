/** @module Fig. 2: time to write n keys, one by one and in a batch, panel by panel for each store. */
import { isEmulated, storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle } from "./figure.ts";
import { latencyPanel, type PaperRow } from "./latency-panel.ts";
import { distinct, latencyRow } from "./rows.ts";

const series = ["aft sequential", "aft batch", "direct sequential", "direct batch"];
const colours = ["#0072B2", "#56B4E9", "#666666", "#bbbbbb"];

export const writeLatencyFigure: FigureDefinition = {
  id: "write-latency",
  title: "What a commit costs: time to write n keys (paper: Fig. 2)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "write-latency");
    if (runs.length === 0) return { kind: "missing" };
    const storeOf = ({ cell }: (typeof runs)[number]): string =>
      isEmulated(cell) ? `${storeName(cell)} (emulated)` : storeName(cell);
    const rows = runs.map((run) => ({
      ...latencyRow(
        run,
        String(run.cell["writes"]),
        `${run.cell.system} ${String(run.cell["batch"])}`,
      ),
      store: storeOf(run),
    }));
    const paperRows: PaperRow[] = paper.fig2.values.flatMap(
      ({ system, batch, writes, p50, p99 }) => [
        { group: String(writes), series: `${system} ${batch}`, ms: p50, what: "paper p50" },
        { group: String(writes), series: `${system} ${batch}`, ms: p99, what: "paper p99" },
      ],
    );
    const panels = distinct(runs.map(storeOf)).map((store) =>
      latencyPanel({
        title: store,
        rows: rows.filter((row) => row.store === store),
        paper: store === "dynamodb (emulated)" ? paperRows : [],
        groups: distinct(rows.map(({ group }) => group)),
        series,
        colours,
        xTitle: "keys written",
      }),
    );
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: { text: writeLatencyFigure.title, subtitle: subtitle(suite, "write-latency") },
      config: sharedConfig,
      columns: 2,
      concat: panels,
      spacing: 28,
      resolve: { scale: { y: "independent" } },
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};
