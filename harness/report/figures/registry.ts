/** @module The figures there are: one line each. */
import { alternativesFigure } from "./alternatives.ts";
import { anomaliesFigure } from "./anomalies.ts";
import { costFigure } from "./cost.ts";
import { cachingSkewFigure, readShareFigure, transactionLengthFigure } from "./by-level.ts";
import { faultTimelineFigure } from "./fault-timeline.ts";
import type { FigureDefinition } from "./figure.ts";
import { gcOverheadFigure } from "./gc-overhead.ts";
import { lambdaTwinFigure } from "./lambda-twin.ts";
import { offeredLoadFigure } from "./offered-load.ts";
import { overheadFigure } from "./overhead.ts";
import { percentileCurvesFigure } from "./percentile-curves.ts";
import { recoveryFigure } from "./recovery.ts";
import { retriesFigure } from "./retries.ts";
import { scalingClientsFigure } from "./scaling-clients.ts";
import { scalingReplicasFigure } from "./scaling-replicas.ts";
import { writeLatencyFigure } from "./write-latency.ts";

export const figures: readonly FigureDefinition[] = [
  overheadFigure,
  anomaliesFigure,
  writeLatencyFigure,
  cachingSkewFigure,
  readShareFigure,
  transactionLengthFigure,
  scalingClientsFigure,
  scalingReplicasFigure,
  gcOverheadFigure,
  faultTimelineFigure,
  recoveryFigure,
  percentileCurvesFigure,
  offeredLoadFigure,
  costFigure,
  retriesFigure,
  lambdaTwinFigure,
  alternativesFigure,
];
