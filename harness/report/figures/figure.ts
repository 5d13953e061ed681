/** @module What a figure is: rows from runs, a vega-lite spec, and what all figures share. */
import type { LatencyCurve } from "#harness/record/curves.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import type { TopLevelSpec } from "vega-lite";

export interface FigureInput {
  readonly suite: SuiteResult;
  readonly paper: PaperNumbers;
  /** Distributions of response times by run id, of those runs whose directories hold them. */
  readonly curves?: Curves;
}

export type Curves = ReadonlyMap<string, LatencyCurve>;

export type BuiltFigure =
  | {
      readonly kind: "figure";
      readonly spec: TopLevelSpec;
      /** The data behind it, one row a mark, for CSV. */
      readonly rows: readonly Readonly<Record<string, string | number>>[];
    }
  /** The suite holds nothing to draw here. */
  | { readonly kind: "missing" };

export interface FigureDefinition {
  readonly id: string;
  readonly title: string;
  readonly build: (input: FigureInput) => BuiltFigure;
}

export const fontFamily = "DejaVu Sans";

/** Colour-blind safe (Okabe and Ito). */
export const systemColours: Readonly<Record<string, string>> = {
  direct: "#999999",
  aft: "#0072B2",
};
export const paperColour = "#D55E00";

export const sharedConfig = {
  font: fontFamily,
  background: "white",
  view: { stroke: "#cccccc" },
  axis: { labelFontSize: 12, titleFontSize: 12, gridColor: "#eeeeee" },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleLimit: 0,
    labelLimit: 0,
    orient: "bottom" as const,
  },
  title: { fontSize: 15, subtitleFontSize: 11, subtitleColor: "#555555", anchor: "start" as const },
  header: { labelFontSize: 13, titleFontSize: 13, labelFontWeight: "bold" as const },
};

/** Lines under a title: what was measured, how, where; and a warning where it is due. */
export function subtitle(suite: SuiteResult, experiment: string): string[] {
  const runs = suite.runs.filter((run) => run.experiment === experiment);
  const { cpuModel, cores, node } = suite.machine;
  const lines = [
    `closed loop; ${runs.length} runs, profile ${suite.profile}; ${cpuModel}, ${cores} cores, Node ${node}`,
  ];
  const places = runs.map(({ cell, platform: { place } }) =>
    place === undefined ? "" : `functions on ${cell.platform}: ${place}`,
  );
  lines.push(...new Set(places.filter((place) => place !== "")));
  const invalid = runs.filter(({ valid }) => !valid).length;
  if (invalid > 0 || suite.state === "partial")
    lines.push(`NOT VALID: ${invalid} of the runs are invalid or were interrupted`);
  return lines;
}
