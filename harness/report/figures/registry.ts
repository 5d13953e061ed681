/** @module The figures there are: one line each. */
import { anomaliesFigure } from "./anomalies.ts";
import type { FigureDefinition } from "./figure.ts";
import { overheadFigure } from "./overhead.ts";
import { writeLatencyFigure } from "./write-latency.ts";

export const figures: readonly FigureDefinition[] = [
  overheadFigure,
  anomaliesFigure,
  writeLatencyFigure,
];
