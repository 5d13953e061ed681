/**
 * @module State systems side by side: one row a system, one panel a guarantee, left alone above and with
 * mishaps below; the last panels are goodput and p99.
 *
 * Whatever is not measured on the store itself (an emulator, emulated latency) is drawn hollow.
 */
import {
  alternativeRows,
  type AlternativeRow,
  experimentId,
  rateNames,
  rateTitles,
} from "../alternatives.ts";
import { type FigureDefinition, sharedConfig, subtitle } from "./figure.ts";
import { distinct, milliseconds } from "./rows.ts";

/** From cool to hot; seen on white and on black, and by the colour-blind (Okabe and Ito). */
const skewColours = ["#56B4E9", "#E69F00", "#D55E00"];
/** Zero has a place on the axis too. */
const zeroPlace = 1;
const panelWidth = 150;
const rowHeight = 30;

interface Mark {
  readonly [field: string]: string | number;
  readonly system: string;
  readonly faults: string;
  readonly skew: string;
  readonly panel: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly seen: string;
  readonly kind: string;
  readonly text: string;
  readonly runId: string;
}

const goodputPanel = "goodput (requests/s)";
const p99Panel = "p99 (ms)";

export const alternativesFigure: FigureDefinition = {
  id: "alternatives",
  title: "What to use instead: what each state system lets happen, and what it costs",
  build: ({ suite }) => {
    const rows = alternativeRows(suite.runs);
    if (rows.length === 0) return { kind: "missing" };
    const marks = rows.flatMap(marksOf);
    const systems = distinct(rows.map(({ system }) => system));
    const skews = distinct(marks.map(({ skew }) => skew));
    const panels = [...rateNames.map((name) => rateTitles[name].long), goodputPanel, p99Panel];
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: alternativesFigure.title,
        subtitle: [
          ...subtitle(suite, experimentId),
          "per 10,000, 95 % intervals; hollow: nothing seen, the line ends at what may have been missed",
          ...(marks.some(({ kind }) => kind !== "measured")
            ? ["diamonds: over an emulator of the store, whose times say nothing about the service"]
            : []),
        ],
      },
      config: sharedConfig,
      spacing: 18,
      vconcat: distinct(marks.map(({ faults }) => faults)).map((faults) => ({
        title: { text: faults, fontSize: 13 },
        spacing: 12,
        hconcat: panels.flatMap((panel, index) => {
          const own = marks.filter((mark) => mark.panel === panel && mark.faults === faults);
          // Small runs have no p99.
          if (own.length === 0) return [];
          return [panelOf({ panel, systems, skews, isFirst: index === 0, marks: own })];
        }),
      })),
    };
    return { kind: "figure", spec: spec as never, rows: marks };
  },
};

function marksOf(row: AlternativeRow): Mark[] {
  const shared = {
    system: row.system,
    faults: row.hasMishaps ? "with mishaps" : "left alone",
    skew: `zipf ${row.zipfTheta}`,
    kind: row.kind,
    runId: row.run.runId,
  };
  const rates = rateNames.map((name): Mark => {
    const { count, per10k, low, high } = row.rates[name];
    return {
      ...shared,
      panel: rateTitles[name].long,
      value: Math.max(zeroPlace, per10k),
      low: Math.max(zeroPlace, low),
      high: Math.max(zeroPlace, high),
      seen: count > 0 ? "seen" : "not seen",
      text: String(count),
    };
  });
  const p99 = milliseconds(row.p99);
  const single = (panel: string, value: number): Mark => ({
    ...shared,
    panel,
    value,
    low: value,
    high: value,
    seen: "seen",
    text: String(value),
  });
  return [...rates, single(goodputPanel, row.goodput), ...(p99 > 0 ? [single(p99Panel, p99)] : [])];
}

/** Rates and times span decades; requests per second do not. */
function axisOf(
  panel: string,
  most: number,
): {
  readonly scale: Readonly<Record<string, unknown>>;
  readonly axis: Readonly<Record<string, unknown>>;
} {
  if (panel === goodputPanel)
    return {
      scale: { domain: [0, most * 1.1], nice: true },
      axis: { tickCount: 4, labelFlush: true },
    };
  const short = "datum.value >= 1000 ? datum.value / 1000 + 'k' : datum.label";
  if (panel === p99Panel)
    return {
      scale: { type: "log", domain: [10, 10_000], nice: false },
      axis: { values: [10, 100, 1_000, 10_000], labelExpr: short, labelFlush: true },
    };
  return {
    scale: { type: "log", domain: [zeroPlace, 10_000], nice: false },
    axis: {
      values: [1, 10, 100, 1_000, 10_000],
      labelExpr: `datum.value === 1 ? '≤1' : ${short}`,
      labelFlush: true,
    },
  };
}

function panelOf(options: {
  readonly panel: string;
  readonly systems: readonly string[];
  readonly skews: readonly string[];
  readonly isFirst: boolean;
  readonly marks: readonly Mark[];
}): Record<string, unknown> {
  const { panel, systems, skews, isFirst, marks } = options;
  const isRate = panel !== goodputPanel && panel !== p99Panel;
  const y = {
    field: "system",
    type: "nominal",
    sort: systems,
    title: "",
    scale: { domain: systems },
    axis: isFirst ? { grid: true } : { labels: false, ticks: false, grid: true },
  };
  const yOffset = { field: "skew", sort: skews, scale: { paddingOuter: 0.3 } };
  const { scale, axis } = axisOf(panel, Math.max(...marks.map(({ value }) => value)));
  const x = { type: "quantitative", title: "", scale, axis };
  const color = {
    field: "skew",
    type: "ordinal",
    title: "",
    sort: skews,
    scale: { domain: skews, range: skewColours.slice(-skews.length) },
  };
  const shape = {
    field: "kind",
    type: "nominal",
    title: "",
    scale: { domain: ["measured", "npm emulator"], range: ["circle", "diamond"] },
    legend: null,
  };
  const point = (seen: string) => {
    const values = marks.filter((mark) => mark.seen === seen);
    return values.length === 0
      ? []
      : [
          {
            data: { values },
            mark: {
              type: "point",
              filled: seen === "seen",
              size: 42,
              strokeWidth: 1.4,
              opacity: 1,
            },
            encoding: { y, yOffset, color, shape, x: { ...x, field: "value" } },
          },
        ];
  };
  const intervals = isRate ? marks : [];
  return {
    title: { text: panel, fontSize: 11, fontWeight: "normal", anchor: "middle" },
    width: panelWidth,
    height: systems.length * rowHeight,
    layer: [
      ...(intervals.length === 0
        ? []
        : [
            {
              data: { values: intervals },
              mark: { type: "rule", strokeWidth: 1.4 },
              encoding: { y, yOffset, color, x: { ...x, field: "low" }, x2: { field: "high" } },
            },
          ]),
      ...point("seen"),
      ...point("not seen"),
    ],
  };
}
