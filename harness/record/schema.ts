/** @module Checks what is read back: a record from elsewhere must be refused, not half understood. */
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";
import type { RunManifest, RunSummary, SuiteResult } from "./run.ts";
import { historyLine } from "./trend-history.ts";

/** A file is not what it says it is. */
export class SchemaError extends ProjectError {
  readonly code = "bad_record";
  readonly disposition = "abort";

  constructor(what: string, problems: string, options?: ErrorOptions) {
    super(`not a readable ${what}: ${problems}`, options);
  }
}

const cell = z
  .looseObject({
    workload: z.string(),
    platform: z.string(),
    system: z.string(),
    storage: z.string(),
    emulation: z.string(),
    faults: z.string(),
    zipfTheta: z.number(),
    clients: z.number().int(),
  })
  .catchall(z.union([z.string(), z.number(), z.boolean()]));
const percentile = z.union([z.number(), z.object({ need: z.number(), have: z.number() })]);
const distribution = z.object({
  count: z.number().int(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  p50: percentile,
  p90: percentile,
  p99: percentile,
  p999: percentile,
  clipped: z.number().int(),
});
const anomaly = z.object({ transactions: z.number().int(), upperBoundPer10k: z.number() });
const anomalies = z.object({
  judged: z.number().int(),
  readYourWrites: anomaly,
  fractured: anomaly,
  nonRepeatable: anomaly,
  dirtyReads: anomaly,
  anomalous: anomaly,
  lostUpdates: anomaly.optional(),
  staleReads: anomaly
    .extend({
      reads: z.number().int(),
      stale: z.number().int(),
      depthMax: z.number().int(),
      depthMean: z.number(),
    })
    .optional(),
  undecidedPairs: z.number().int(),
  versionOrder: z.enum(["commit-order", "write-intervals"]),
  witnesses: z.array(z.object({ kind: z.string(), explanation: z.string() })),
});
const label = z.enum([
  "measured",
  "emulated",
  "emulator",
  "simulated",
  "closed-loop",
  "open-loop",
  "invocation-emulated",
  "not-measured-on-aws",
]);
const summary = z.looseObject({
  schemaVersion: z.literal(1),
  runId: z.string(),
  experiment: z.string(),
  cell,
  labels: z.array(label),
  valid: z.boolean(),
  invalidReasons: z.array(z.string()),
  notes: z.array(z.string()).exactOptional(),
  transactions: z.object({
    committed: z.number().int(),
    aborted: z.number().int(),
    failed: z.number().int(),
    unknown: z.number().int(),
  }),
  retries: z.record(z.string(), z.number().int()),
  measuredSeconds: z.number(),
  throughputPerSecond: z.number(),
  responseTimeUs: distribution,
  serviceTimeUs: distribution,
  anomalies,
  promises: z.array(z.string()),
  violated: z.array(z.string()),
  unexplained: z
    .array(
      z.object({
        check: z.enum(["rc", "ra", "cc", "ra-without-sessions"]),
        title: z.string(),
        explanation: z.string(),
      }),
    )
    .exactOptional(),
  verdicts: z.record(z.string(), z.enum(["pass", "violation", "undecided", "not-run"])),
  platform: z.object({
    coldStarts: z.number().int(),
    invocations: z.number().int(),
    place: z.string().exactOptional(),
  }),
  storage: z
    .object({
      callsPerTransaction: z.number(),
      bytesPerTransaction: z.number(),
      itemsReadPerTransaction: z.number().exactOptional(),
      itemsWrittenPerTransaction: z.number().exactOptional(),
      bytesReadPerTransaction: z.number().exactOptional(),
      bytesWrittenPerTransaction: z.number().exactOptional(),
    })
    .nullable(),
  operations: z
    .object({
      readsPerTransaction: z.number(),
      writesPerTransaction: z.number(),
      valueBytes: z.number().exactOptional(),
    })
    .exactOptional(),
  cpuCores: z.record(z.string(), z.number()),
  coreWaits: z.record(z.string(), z.number()).exactOptional(),
});
const manifest = z.looseObject({
  schemaVersion: z.literal(1),
  runId: z.string(),
  experiment: z.string(),
  profile: z.string(),
  mode: z.enum(["paper", "sound"]),
  cell,
  labels: z.array(label),
  state: z.enum(["running", "complete", "partial"]),
  startedAtMs: z.number(),
  durationMs: z.number().exactOptional(),
  seeds: z.record(z.string(), z.number()),
  versions: z.record(z.string(), z.string()),
  git: z.looseObject({ commit: z.string(), dirty: z.boolean() }),
  command: z.array(z.string()),
});
const machine = z.looseObject({
  cpuModel: z.string(),
  cores: z.number(),
  memoryMiB: z.number(),
  os: z.string(),
  kernel: z.string(),
  node: z.string(),
  loadAverageAtStart: z.number(),
});
const comparison = z.looseObject({
  name: z.string(),
  ratio: z.looseObject({ median: z.number(), low: z.number(), high: z.number() }),
  blocks: z.number(),
  confidence: z.number().exactOptional(),
  runIds: z.array(z.string()).exactOptional(),
});
const claim = z.looseObject({
  id: z.string(),
  text: z.string(),
  verdict: z.enum(["reproduced", "not-reproduced", "not-testable"]),
  ours: z.union([z.number(), z.string(), z.null()]),
  paper: z.union([z.number(), z.string()]),
  source: z.string(),
  rule: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  facts: z.array(z.string()).exactOptional(),
  runIds: z.array(z.string()).exactOptional(),
});
const calibration = z.looseObject({
  hash: z.string(),
  createdAtMs: z.number(),
  passed: z.boolean(),
  sameMachine: z.boolean(),
});
const suite = z.looseObject({
  schemaVersion: z.literal(1),
  suite: z.string(),
  profile: z.string(),
  startedAtMs: z.number(),
  durationMs: z.number(),
  state: z.enum(["complete", "partial"]),
  machine,
  calibration: calibration.nullable().exactOptional(),
  runs: z.array(summary.extend({ directory: z.string() })),
  comparisons: z.array(comparison),
  claims: z.array(claim),
  notRun: z.array(z.object({ what: z.string(), why: z.string(), get: z.string() })),
});

/** @throws SchemaError */
export function parseSummary(value: unknown): RunSummary {
  return parse("run summary", summary, value);
}

/** @throws SchemaError */
export function parseManifest(value: unknown): RunManifest {
  return parse("run manifest", manifest, value) as unknown as RunManifest;
}

/** @throws SchemaError */
export function parseSuite(value: unknown): SuiteResult {
  return parse("suite result", suite, value);
}

function parse<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  // The value itself, not zod's copy: that one has its keys in another order, and bytes are compared.
  if (parsed.success) return value as T;
  throw new SchemaError(what, z.prettifyError(parsed.error));
}

/** The published form of each file, as JSON Schema; `npm run schemas:update` writes them. */
export function publishedSchemas(): Readonly<Record<string, unknown>> {
  return {
    "manifest.schema.json": published(manifest),
    "summary.schema.json": published(summary),
    "suite.schema.json": published(suite),
    "history-line.schema.json": published(historyLine),
  };
}

/** As a reader of records has to see it: fields may be added later, so none is forbidden. */
function published(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: "input" });
}
