/** @module What a million transactions would cost by list prices, from measured counts: a bar per system and store. */
import { loadPrices } from "#results/prices.ts";
import { type CostPart, costOf, costParts } from "../cost.ts";
import { isEmulated, storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle } from "./figure.ts";
import { distinct } from "./rows.ts";

const colours = ["#56B4E9", "#0072B2", "#999999", "#E69F00", "#009E73"];

interface CostRow {
  readonly [field: string]: string | number;
  readonly store: string;
  readonly system: string;
  readonly part: CostPart;
  readonly usd: number;
  readonly order: number;
  readonly runId: string;
}

export const costFigure: FigureDefinition = {
  id: "cost",
  title: "What a million transactions would cost by list prices (not in the paper)",
  build: ({ suite }) => {
    const table = loadPrices();
    const runs = suite.runs
      .filter(({ experiment, cell }) => experiment === "overhead" && isEmulated(cell))
      .flatMap((run) => {
        const cost = costOf(run, table);
        return cost === undefined ? [] : [{ run, cost }];
      });
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.flatMap(({ run, cost }) =>
      costParts.map((part, order): CostRow => ({
        store: storeName(run.cell),
        system: run.cell.system,
        part,
        usd: Math.round(cost.usd[part] * 1_000) / 1_000,
        order,
        runId: run.runId,
      })),
    );
    const totals = runs.map(({ run, cost }) => ({
      store: storeName(run.cell),
      system: run.cell.system,
      usd: cost.total,
      text: `${cost.total.toFixed(2)} USD`,
    }));
    const { region, prices, assumptions } = table;
    const dates = distinct(Object.values(prices).map(({ asOf }) => asOf)).toSorted();
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: costFigure.title,
        subtitle: [
          ...subtitle(suite, "overhead"),
          `computed from measured counts, times and CPU; list prices of AWS ${region} (${dates[0] ?? ""} to ${dates.at(-1) ?? ""}), not a bill`,
          `functions of ${assumptions.lambdaMemoryGib} GB; a replica that is fully used; each version written is deleted once`,
          "stored bytes, transfer and idle machines are not in it; ElastiCache charges by the hour and is left out",
        ],
      },
      config: sharedConfig,
      spacing: 28,
      hconcat: distinct(rows.map(({ store }) => store)).map((store) =>
        panel({
          store,
          rows: rows.filter((row) => row.store === store),
          totals: totals.filter((total) => total.store === store),
        }),
      ),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function panel(options: {
  readonly store: string;
  readonly rows: readonly CostRow[];
  readonly totals: readonly Readonly<Record<string, string | number>>[];
}): object {
  const { store, rows, totals } = options;
  const systems = distinct(rows.map(({ system }) => system));
  const x = { field: "system", type: "nominal", sort: systems, title: "", axis: { labelAngle: 0 } };
  const y = { field: "usd", type: "quantitative", title: "USD a million transactions" };
  return {
    title: { text: `${store} (emulated)`, fontSize: 13 },
    width: { step: 110 },
    height: 280,
    layer: [
      {
        data: { values: rows },
        mark: { type: "bar", size: 64 },
        encoding: {
          x,
          y: { ...y, stack: "zero" },
          order: { field: "order", type: "quantitative" },
          color: {
            field: "part",
            type: "nominal",
            title: "for",
            scale: { domain: [...costParts], range: colours },
          },
        },
      },
      {
        data: { values: totals },
        mark: { type: "text", dy: -8, fontSize: 12 },
        encoding: { x, y, text: { field: "text" } },
      },
    ],
  };
}
