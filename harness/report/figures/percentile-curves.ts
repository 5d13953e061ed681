/** @module Response times of whole distributions: quantiles on an axis that stretches the tail, as far as n carries. */
import { isEmulated, storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle, systemColours } from "./figure.ts";
import { distinct } from "./rows.ts";

export const percentileCurvesFigure: FigureDefinition = {
  id: "percentile-curves",
  title: "Response times, the whole distribution (not in the paper)",
  build: ({ suite, curves }) => {
    const runs = suite.runs.filter(
      ({ experiment, runId }) => experiment === "overhead" && curves?.get(runId) !== undefined,
    );
    const rows = runs.flatMap((run) => {
      const { count = 0, points = [] } = curves?.get(run.runId) ?? {};
      const store = isEmulated(run.cell)
        ? `${storeName(run.cell)} (emulated)`
        : storeName(run.cell);
      return points.map(({ quantile, oneIn, us }) => ({
        store,
        system: run.cell.system,
        quantile: Math.round(quantile * 1e6) / 1e6,
        oneIn: Math.round(oneIn * 1e3) / 1e3,
        ms: Math.max(0.001, Math.round(us) / 1_000),
        n: count,
        runId: run.runId,
      }));
    });
    if (rows.length === 0) return { kind: "missing" };
    const systems = distinct(rows.map(({ system }) => system));
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: percentileCurvesFigure.title,
        subtitle: [
          ...subtitle(suite, "overhead"),
          "a curve ends where its number of requests no longer supports the quantile (99 % confidence)",
        ],
      },
      config: sharedConfig,
      columns: 3,
      spacing: 24,
      concat: distinct(rows.map(({ store }) => store)).map((store) =>
        panel(
          store,
          rows.filter((row) => row.store === store),
          systems,
        ),
      ),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function panel(
  store: string,
  rows: readonly Readonly<Record<string, string | number>>[],
  systems: readonly string[],
): object {
  const counts = distinct(rows.map(({ system, n }) => `${String(system)} ${String(n)}`));
  return {
    title: { text: store, subtitle: `requests: ${counts.join(", ")}`, fontSize: 13 },
    width: 270,
    height: 210,
    data: { values: rows },
    mark: { type: "line", interpolate: "step-after", strokeWidth: 2 },
    encoding: {
      x: {
        field: "oneIn",
        type: "quantitative",
        title: "quantile",
        scale: { type: "log", nice: false },
        axis: {
          values: [1, 2, 10, 100, 1_000, 10_000],
          labelExpr:
            "datum.value == 1 ? '0' : datum.value == 2 ? '0.5' : format(1 - 1 / datum.value, '.4~f')",
        },
      },
      y: {
        field: "ms",
        type: "quantitative",
        title: "response time, ms (log)",
        scale: { type: "log", nice: false, padding: 8 },
      },
      color: {
        field: "system",
        type: "nominal",
        title: "system",
        scale: { domain: systems, range: systems.map((name) => systemColours[name] ?? "#E69F00") },
      },
    },
  };
}
