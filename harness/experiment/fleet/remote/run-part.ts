/**
 * @module One part of a fleet: comes, warms up, begins with the others, makes its share of the load against
 * a system that is up, and leaves a complete record or none.
 *
 * Also runs inside a Lambda function, so nothing here may need a file of this repository at run time.
 */
import { readFileSync } from "node:fs";
import { type Clock, delay } from "#kit/clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createInlinePlatform } from "#harness/faas/inline/platform.ts";
import type { Platform } from "#harness/faas/port.ts";
import { fill } from "#harness/loadgen/fill.ts";
import { concurrencyOf } from "#harness/loadgen/load.ts";
import { watchFitness } from "#harness/metrics/fitness.ts";
import { writeHistogramLog } from "#harness/metrics/histogram.ts";
import { writeGeneratorRecord } from "#harness/record/generator-record.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { FitnessWatch } from "#harness/record/measurements.ts";
import { closeSystems, handler } from "#workloads/functions/handler.ts";
import type { Workload } from "#workloads/port.ts";
import { createWorkload } from "#workloads/registry.ts";
import { leadUs } from "../../drive.ts";
import { type LoadBlock, type LoadRecord, OwnGenerator } from "../../generators.ts";
import { invocationLatencyOf } from "../../invocation-latency.ts";
import type { Here } from "../../manifest.ts";
import { resolveUnknown } from "../../resolve-unknown.ts";
import { measureOffset, type OffsetBounds } from "./clock-offset.ts";
import { partName, PartStoppedError, StartMissedError } from "./errors.ts";
import type { ObjectStore } from "./objects.ts";
import { parsePartRecord, partFile, type PartRecord, readPartName, uploadPart } from "./part.ts";
import { type FleetPlan, hashOfPlan, scheduledUs } from "./plan.ts";
import { Rendezvous } from "./rendezvous.ts";

const functionName = "aft-bench-part";
/** Far above any honest transaction, far below a hang. */
const functionTimeoutMs = 30_000;

export interface PartOptions {
  readonly plan: FleetPlan;
  readonly index: number;
  /** Distinguishes this process from others that make the same part. */
  readonly attempt: string;
  readonly objects: ObjectStore;
  /** A precise one: it paces the load. */
  readonly clock: Clock;
  /** Aborted: the part ends and leaves nothing. */
  readonly signal: AbortSignal;
  /** Empty, for what is to be put into the objects. */
  readonly directory: string;
  /** What runs here. */
  readonly here: Here;
  readonly say: (line: string) => void;
}

export interface PartOutcome {
  /** `already-there`: an earlier process had done it all. */
  readonly kind: "uploaded" | "already-there";
  readonly record: PartRecord;
}

/** Rejects with a `FleetError` of its own class for each way to fail; then the part is not there. */
export async function runPart(options: PartOptions): Promise<PartOutcome> {
  const { plan, index, objects, clock, say } = options;
  const planHash = hashOfPlan(plan);
  const earlier = await completeAttempt(objects, { planHash, index });
  if (earlier !== undefined) return { kind: "already-there", record: earlier };
  const meeting = new Rendezvous({ ...options, planHash });
  const start = await meeting.knownStart();
  if (start !== undefined) mustBeInTime(plan, index, clock.nowMs() - start);
  const opened = await openPart(options);
  try {
    const before = watchFitness(options.directory);
    const [filled, offset] = await Promise.all([
      prepare(options, opened, meeting),
      measureOffset({ clock, ask: () => objects.time() }),
    ]);
    const { foreignCores } = before.stop();
    await meeting.sayReady();
    say(`${partName(index, plan.parts)} is ready`);
    const agreedAtMs = await meeting.agreeOnStart();
    await meeting.waitUntil(agreedAtMs);
    const made = await makeLoad(options, opened, agreedAtMs);
    const { record } = made;
    if (options.signal.aborted)
      throw new PartStoppedError(`${partName(index, plan.parts)} was stopped during its load`, {
        cause: options.signal.reason,
      });
    const transactions = [...filled, ...record.transactions];
    await resolveUnknown(plan.system, transactions);
    await writeGeneratorRecord(options.directory, { attempts: record.attempts, transactions });
    const described = describePart(options, {
      ...made,
      planHash,
      agreedAtMs,
      offset,
      foreignCores,
    });
    const { directory } = options;
    return {
      kind: "uploaded",
      record: await uploadPart({ objects, directory, record: described }),
    };
  } finally {
    await opened.platform.close();
  }
}

interface OpenedPart {
  readonly workload: Workload;
  readonly platform: Platform;
  readonly generator: OwnGenerator;
  readonly context: ReturnType<typeof contextOf>;
}

async function openPart(options: PartOptions): Promise<OpenedPart> {
  const { plan, index, clock, signal } = options;
  const { seed, load, parts, invocation } = plan;
  const workload = createWorkload({ ...plan.workload, seed });
  // Its own draws: parts with the same ones would be slow in step.
  const latency = invocationLatencyOf(invocation, createPrng(seed).fork(`part ${index}`));
  const platform = createInlinePlatform({
    clock,
    ...latency,
    load: () => Promise.resolve({ handler, closeSystems }),
  });
  await platform.deploy([
    {
      name: functionName,
      modulePath: "in this process",
      exportName: "handler",
      environment: { AFT_BENCH_SYSTEM: JSON.stringify(plan.system) },
      concurrencyLimit: concurrencyOf(load),
      timeoutMs: functionTimeoutMs,
    },
  ]);
  const context = contextOf(options, platform, workload);
  const generator = new OwnGenerator({
    load,
    seed,
    share: { index, of: parts },
    context: { ...context, workload, signal },
    onRequest: () => {},
  });
  return { workload, platform, generator, context };
}

function contextOf(
  { plan, attempt, clock }: PartOptions,
  platform: Platform,
  { valueBytes }: Workload,
) {
  // A part that is made again sends requests of its own, which happen whatever the first one sent.
  return { platform, functionName, scope: `${plan.runId}-${attempt}-`, clock, valueBytes };
}

/** The store is filled once, by the first part; what it wrote belongs to its record. */
async function prepare(
  { plan, index, attempt, clock, say }: PartOptions,
  { workload, generator, context }: OpenedPart,
  meeting: Rendezvous,
): Promise<RecordedTransaction[]> {
  const filled: RecordedTransaction[] = [];
  const start = await meeting.knownStart();
  // A start that was agreed on is an earlier first part's, which had filled the store.
  const isOpen = plan.start.kind === "at" ? clock.nowMs() < plan.start.atMs : start === undefined;
  if (index === 0 && isOpen) {
    say("filling the store");
    await fill({
      ...context,
      workload,
      label: `fill-${plan.runId}-${attempt}-`,
      concurrency: concurrencyOf(plan.load),
      onTransaction: (transaction) => {
        filled.push(transaction);
      },
    });
    await meeting.sayFilled();
  } else {
    await meeting.awaitFilled();
  }
  await generator.warmUp();
  return filled;
}

interface MadeLoad {
  readonly originUs: number;
  readonly latenessUs: number;
  readonly block: LoadBlock;
  readonly record: LoadRecord;
  readonly fitness: FitnessWatch;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
}

async function makeLoad(
  { plan, index, clock, directory, say }: PartOptions,
  { generator, platform }: OpenedPart,
  agreedAtMs: number,
): Promise<MadeLoad> {
  const originUs = Math.round(clock.monotonicUs() + (agreedAtMs - clock.nowMs()) * 1_000);
  mustBeInTime(plan, index, (clock.monotonicUs() - originUs) / 1_000);
  const before = await platform.stats();
  const fitness = watchFitness(directory);
  // An open loop waits for its due times itself.
  const lead = plan.load.model === "open" ? leadUs : 0;
  const waitUs = originUs - lead - clock.monotonicUs();
  if (waitUs > 0) await delay(clock, waitUs);
  const beginUs = clock.monotonicUs();
  const latenessUs = Math.max(0, beginUs + lead - originUs);
  say(`${partName(index, plan.parts)} begins`);
  // Late, it begins with its own first due time: to catch up would be a burst that nobody planned.
  const block = await generator.block(0, Math.max(originUs, beginUs));
  const after = await platform.stats();
  return {
    originUs,
    latenessUs,
    block,
    fitness: fitness.stop(),
    record: await generator.finish(),
    platform: {
      coldStarts: after.coldStarts - before.coldStarts,
      invocations: after.invocations - before.invocations,
    },
  };
}

function describePart(
  { plan, index, attempt, here }: PartOptions,
  made: MadeLoad & {
    readonly planHash: string;
    readonly agreedAtMs: number;
    readonly offset: OffsetBounds | undefined;
    readonly foreignCores: number | null;
  },
): Omit<PartRecord, "files"> {
  const { planHash, agreedAtMs, originUs, offset, block } = made;
  const [own] = block.generators;
  if (own === undefined) throw new RangeError("a generator always reports on itself");
  const span = { tag: "dispatch-lateness-us", startMs: 0, endMs: 0 };
  return {
    schemaVersion: 1,
    planHash,
    runId: plan.runId,
    index,
    of: plan.parts,
    attempt,
    clock: { bootId: bootId(), agreedAtMs, originUs, offset: offset ?? null },
    latenessMs: Math.round(made.latenessUs) / 1_000,
    block: { startUs: Math.round(block.startUs), endUs: Math.round(block.endUs) },
    watch: own.watch,
    dispatchLateness: writeHistogramLog([{ ...span, histogram: own.lateness }], 0),
    cores: Math.round(own.cores * 1_000) / 1_000,
    ...(own.open !== undefined && { open: own.open }),
    platform: made.platform,
    fitness: { ...made.fitness, foreignCoresBefore: made.foreignCores },
    ...here,
    notes: [],
  };
}

/** @throws StartMissedError if the load is over already */
function mustBeInTime(plan: FleetPlan, index: number, sinceMs: number): void {
  const lengthMs = (scheduledUs(plan) ?? plan.timeLimitSeconds * 1_000_000) / 1_000;
  if (sinceMs <= lengthMs) return;
  const seconds = Math.round(sinceMs / 1_000);
  throw new StartMissedError(
    `${partName(index, plan.parts)} came ${seconds} s after the start of a load of ` +
      `${Math.round(lengthMs / 1_000)} s; make a new plan, with a prefix of its own`,
  );
}

async function completeAttempt(
  objects: ObjectStore,
  { planHash, index }: { readonly planHash: string; readonly index: number },
): Promise<PartRecord | undefined> {
  for (const name of await objects.list(`parts/${index + 1}`)) {
    if (readPartName(name)?.file !== partFile) continue;
    const content = await objects.get(name);
    if (content === undefined) continue;
    const record = parsePartRecord(Buffer.from(content).toString(), name);
    if (record.planHash === planHash) return record;
  }
  return undefined;
}

function bootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}
