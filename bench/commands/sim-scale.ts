/** @module `aft-bench sim --scale`: many replicas under virtual time; `sim --calibrate`: what things cost. */
import { availableParallelism } from "node:os";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "#kit/errors.ts";
import { describeMachine } from "#harness/metrics/machine.ts";
import { readSummary } from "#harness/record/run-directory.ts";
import type { RunLabel } from "#harness/record/run.ts";
import { type ScaleRow, scaleSpec } from "#harness/report/figures/sim-scale.ts";
import { writePicture } from "#harness/report/write.ts";
import { calibrateScale } from "#harness/sim/scale/calibrate.ts";
import { parseCosts, type ScaleCosts } from "#harness/sim/scale/costs.ts";
import type { ScaleConfig, ScaleResult } from "#harness/sim/scale/scale.ts";
import { simulateApart } from "#harness/sim/scale/apart.ts";
import {
  type Bend,
  bendOf,
  predict,
  type Prediction,
  runStudy,
  type StudyPoint,
} from "#harness/sim/scale/study.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatColumns } from "#bench/text.ts";
import { readHeldOut } from "./sim-holdouts.ts";

export interface ScaleFlags {
  readonly replicas: string;
  readonly clientsPerReplica: number;
  readonly emulation: ScaleConfig["emulation"];
  readonly multicast: string;
  readonly calibration?: string;
  /** Empty: those of the reference run; `false`: none. */
  readonly holdout: readonly string[] | false;
  readonly seed?: number;
  readonly out: string;
  readonly json?: boolean;
}

/** The document of `sim --scale --json`. */
export interface ScaleDocument {
  readonly labels: readonly RunLabel[];
  readonly costs: ScaleCosts;
  readonly points: readonly StudyPoint[];
  readonly bends: readonly Bend[];
  readonly predictions: readonly Prediction[];
  readonly figure: string | null;
  readonly wallSeconds: number;
}

const ownCalibration = fileURLToPath(
  new URL("../../harness/sim/scale/calibration.json", import.meta.url),
);
/** Between machines of one availability zone. */
const networkUs = 100;
const zipfTheta = 1.5;
const keys = 1_000;
const mostCharacters = 120;

/** The exit code. */
export async function simScale(flags: ScaleFlags): Promise<number> {
  const replicas = parseCounts(flags.replicas);
  const multicasts = parseMulticasts(flags.multicast);
  const path = flags.calibration ?? ownCalibration;
  const costs = parseCosts(await readFile(path, "utf8"), path);
  const heldOut = await readHeldOut(flags.holdout, flags.emulation);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  const simulate = (config: ScaleConfig): Promise<ScaleResult> =>
    simulateApart(config, stop.signal);
  const startMs = performance.now();
  try {
    const points = await runStudy(
      {
        replicas,
        multicasts,
        base: {
          seed: flags.seed ?? 1,
          clientsPerReplica: flags.clientsPerReplica,
          emulation: flags.emulation,
          zipfTheta,
          keys,
          networkUs,
          costs,
        },
      },
      {
        signal: stop.signal,
        parallel: availableParallelism(),
        simulate,
        onResult: ({ multicast, replicas: count, throughputPerSecond, events }) => {
          const seconds = Math.round((performance.now() - startMs) / 1_000);
          process.stderr.write(
            `${multicast}, ${count} replicas: ${throughputPerSecond} transactions/s simulated, ${events} events, ${seconds} s so far\n`,
          );
        },
      },
    );
    const predictions: Prediction[] = [];
    for (const { summary, cores } of heldOut) {
      if (stop.signal.aborted) break;
      predictions.push(await predict(summary, costs, cores, simulate));
    }
    const bends = multicasts.map((multicast) => bendOf(points, multicast));
    const figure = await draw({ points, predictions, bends, flags });
    const wallSeconds = Math.round((performance.now() - startMs) / 100) / 10;
    const labels: readonly RunLabel[] = ["simulated"];
    const document = { labels, costs, points, bends, predictions, figure, wallSeconds };
    console.log(flags.json === true ? JSON.stringify(document, undefined, 2) : format(document));
    return stop.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
  } finally {
    stop.dispose();
  }
}

/** Writes costs made of a real run of one replica; the exit code. */
export async function simCalibrate(flags: {
  readonly run: string;
  readonly to?: string;
  readonly json?: boolean;
}): Promise<number> {
  const summary = await readSummary(flags.run);
  if (!summary.valid)
    throw new ConfigError([
      { where: flags.run, what: "is an invalid run", hint: summary.invalidReasons[0] ?? "" },
    ]);
  const { cpuModel, cores, node } = describeMachine();
  const text = `${cpuModel}, ${cores} cores, Node ${node}`;
  const costs = await calibrateScale(summary, { text, cores });
  const json = `${JSON.stringify(costs, undefined, 2)}\n`;
  if (flags.to !== undefined) await writeFile(resolve(flags.to), json);
  console.log(flags.json === true || flags.to === undefined ? json.trim() : `wrote ${flags.to}`);
  return exitCodes.ok;
}

function parseCounts(text: string): number[] {
  const [, first, last] = /^(\d{1,5})\.\.(\d{1,5})$/.exec(text) ?? [];
  const counts =
    first === undefined ? text.split(",").map(Number) : doubling(Number(first), Number(last));
  const isFine = counts.every((count) => Number.isInteger(count) && count >= 1 && count <= 4_096);
  if (counts.length > 0 && isFine) return counts;
  throw new ConfigError([
    { where: "--replicas", what: `no counts: "${text}"`, hint: "1..256 (doubling), or 4,8,100" },
  ]);
}

function doubling(first: number, last: number): number[] {
  const counts: number[] = [];
  for (let count = Math.max(1, first); count <= last; count *= 2) counts.push(count);
  return counts;
}

function parseMulticasts(text: string): ScaleConfig["multicast"][] {
  return text.split(",").map((name) => {
    if (name === "all-to-all" || name === "relays") return name;
    throw new ConfigError([
      { where: "--multicast", what: `unknown: "${name}"`, hint: "all-to-all, relays" },
    ]);
  });
}

function draw(study: {
  readonly points: readonly StudyPoint[];
  readonly predictions: readonly Prediction[];
  readonly bends: readonly Bend[];
  readonly flags: ScaleFlags;
}): Promise<string> | null {
  const { points, predictions, bends, flags } = study;
  if (points.length === 0) return null;
  const rows = [...points.flatMap(rowsOf), ...idealOf(points), ...predictions.flatMap(bothOf)];
  const subtitle = [
    `simulated, not measured: zipf ${zipfTheta}, emulated ${flags.emulation}, a machine for each process`,
    `clients of a replica: ${changesOf(points, ({ clients, replicas }) => String(clients / replicas))}; ` +
      `virtual time measured:`,
    ...bends.map(({ multicast }) => {
      const own = points.filter((point) => point.multicast === multicast);
      return `  ${multicast}: ${changesOf(own, ({ measuredMs }) => `${measuredMs / 1_000} s`)}`;
    }),
    ...bends.map(({ multicast, replicas, because }) =>
      replicas === undefined
        ? `${multicast}: ${because}`
        : `${multicast}: below 90 % of ideal at ${replicas}: ${because}`,
    ),
    ...points.filter(({ throughputPerSecond }) => throughputPerSecond === 0).map(standstill),
    ...predictions.map(
      ({ runId, replicas, measured, predicted, error }) =>
        `held out: ${replicas} replicas measured ${Math.round(measured)}/s, predicted ${Math.round(predicted)}/s (${signed(error)}), ${runId}`,
    ),
  ];
  const title = "Many replicas (simulated)";
  return writePicture({
    directory: join(resolve(flags.out), "figures", "sim-scale"),
    id: "sim-scale",
    spec: scaleSpec(rows, { title, subtitle: subtitle.flatMap(wrapped) }),
    rows,
  });
}

/** A point that the panel of throughput cannot show. */
function standstill({ multicast, replicas, cpu }: StudyPoint): string {
  const forPeers = `${Math.round(cpu.replicaPeers * 100)} % of their cores for peers`;
  return `${multicast}: nothing committed at ${replicas} replicas in the time measured: they use ${forPeers}`;
}

/** No line is wider than the panels below it. */
function wrapped(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > mostCharacters) {
    const at = rest.lastIndexOf(" ", mostCharacters);
    if (at <= 0) break;
    lines.push(rest.slice(0, at));
    rest = `   ${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}

/** `3 s, from 16 on 1.5 s`: how something changes with the number of replicas. */
function changesOf(points: readonly StudyPoint[], textOf: (point: StudyPoint) => string): string {
  const parts: string[] = [];
  let before = "";
  for (const point of points.toSorted((a, b) => a.replicas - b.replicas)) {
    const text = textOf(point);
    if (text === before) continue;
    parts.push(before === "" ? text : `from ${point.replicas} replicas on ${text}`);
    before = text;
  }
  return parts.join(", ");
}

function rowsOf(point: StudyPoint): ScaleRow[] {
  const { replicas, multicast, cpu, peers } = point;
  const row = (panel: ScaleRow["panel"], series: string, value: number): ScaleRow[] =>
    value > 0 ? [{ panel, kind: "simulated", series, replicas, value }] : [];
  return [
    ...row("throughput", multicast, point.throughputPerSecond),
    ...row("cpu", `replica (${multicast})`, cpu.replicaMean),
    ...row("cpu", "fault manager", cpu.manager),
    ...row("cpu", "busiest relay", cpu.relayMax),
    ...row("traffic", `messages (${multicast})`, peers.messages / replicas),
    ...row("traffic", `commits (${multicast})`, peers.records / replicas),
    ...row("hearing", `hears after, ms (${multicast})`, point.heardAfterMs.mean),
    ...row("hearing", `commits known (${multicast})`, point.knownTransactionsPerReplica),
  ];
}

/** A real run and what was predicted for it. */
function bothOf({ replicas, measured, predicted }: Prediction): ScaleRow[] {
  const panel = "heldOut";
  return [
    { panel, kind: "measured", series: "measured", replicas, value: measured },
    { panel, kind: "simulated", series: "predicted (simulated)", replicas, value: predicted },
  ];
}

function idealOf(points: readonly StudyPoint[]): ScaleRow[] {
  const [first] = points;
  if (first === undefined) return [];
  const each = first.throughputPerSecond / first.clients;
  const clientsAt = new Map(points.map(({ replicas, clients }) => [replicas, clients]));
  return [...clientsAt].map(([replicas, clients]) => ({
    panel: "throughput",
    kind: "ideal",
    series: "ideal",
    replicas,
    value: each * clients,
  }));
}

function format(document: Omit<ScaleDocument, "labels">): string {
  const header = [
    "multicast",
    "replicas",
    "tx/s",
    "of ideal",
    "p50 ms",
    "p99 ms",
    "replica",
    "peers",
    "manager",
  ];
  const rows = document.points.map(
    ({ multicast, replicas, throughputPerSecond, ofIdeal, responseTimeMs, cpu }) => [
      multicast,
      String(replicas),
      throughputPerSecond.toLocaleString("en-US"),
      `${Math.round(ofIdeal * 100)} %`,
      responseTimeMs.p50.toFixed(1),
      responseTimeMs.p99.toFixed(1),
      cpu.replicaMean.toFixed(2),
      cpu.replicaPeers.toFixed(2),
      cpu.manager.toFixed(2),
    ],
  );
  return [
    "simulated, not measured; CPU in cores",
    formatColumns([header, ...rows]),
    ...document.bends.map(({ multicast, replicas, because }) =>
      replicas === undefined
        ? `${multicast}: ${because}`
        : `${multicast}: below 90 % of ideal at ${replicas}: ${because}`,
    ),
    ...document.predictions.map(
      ({ runId, replicas, measured, predicted, error }) =>
        `held out ${runId}: ${replicas} replicas measured ${measured.toFixed(1)}/s, predicted ${predicted.toFixed(1)}/s, error ${signed(error)}`,
    ),
    ...(document.figure === null ? [] : [document.figure]),
    `${document.wallSeconds} s`,
  ].join("\n");
}

function signed(error: number): string {
  return `${error >= 0 ? "+" : ""}${(error * 100).toFixed(1)} %`;
}
