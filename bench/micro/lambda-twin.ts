/**
 * @module The same requests on two endpoints of the Lambda API, cold and warm apart, and where their time
 * goes.
 *
 *   invocation   client, network, platform: seen by the caller, less what the function took
 *   function     inside the handler, less state operations
 *   state        operations and commit: shim and storage
 *
 * The store is dynalite, since lmdb does not go into an archive. All of it is on this machine; nothing here was measured on AWS. Requests go one after another, so
 * no queue is in any number; cold ones are the first invocations of fresh deployments.
 */
import { createPrng } from "#kit/prng.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { bringUpSystem } from "#harness/experiment/systems.ts";
import { Scope } from "#harness/experiment/scope.ts";
import { createApiDeployment } from "#harness/faas/lambda/api-deployment.ts";
import { createControlPlane } from "#harness/faas/lambda/control-plane.ts";
import type { Deployment } from "#harness/faas/lambda/deployment.ts";
import {
  createLambdaClient,
  createLambdaPlatform,
  type InvocationDetail,
} from "#harness/faas/lambda/platform.ts";
import { createServerlessDeployment } from "#harness/faas/lambda/serverless-offline.ts";
import { defaultLambdaSettings } from "#harness/faas/lambda/settings.ts";
import { createLocalPlatform } from "#harness/faas/local/platform.ts";
import type { InvocationOutcome } from "#harness/faas/port.ts";
import { startStorageService } from "#harness/services/registry.ts";
import { quantile } from "#harness/stats/quantile.ts";
import type { FunctionPayload, FunctionResult } from "#workloads/functions/handler.ts";
import { handlerPath } from "#harness/experiment/environment.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";

const clock = createSystemClock();
const systems = ["direct", "aft"] as const;
const endpoints = ["local", "serverless-offline"] as const;
const keys = Array.from({ length: 100 }, (_unused, at) => `twin-${at}`);

/** Where the time of one invocation went. */
interface Split {
  readonly cold: boolean;
  readonly totalMs: number;
  readonly invocationMs: number;
  readonly functionMs: number;
  readonly stateMs: number;
}

export const lambdaTwin: Micro = {
  id: "lambda-twin",
  title: "the same function behind two endpoints of the Lambda API: cold, warm, and the time split",
  run: async (options) => {
    const scope = new Scope();
    try {
      return await measure(options, scope);
    } finally {
      await scope.close();
    }
  },
};

async function measure(options: MicroOptions, scope: Scope): Promise<MicroResult> {
  const [colds, warms] = options.smoke ? [1, 10] : [5, 500];
  const storage = scope.own(await startStorageService("dynamodb"));
  const figures: MicroFigure[] = [];
  for (const name of systems) {
    const system = await bringUpSystem({ name, storage: { target: storage.target }, scope });
    for (const endpoint of endpoints) {
      options.note(`${name} on ${endpoint}`);
      const splits: Split[] = [];
      for (let round = 0; round < colds && !options.signal.aborted; round += 1)
        splits.push(
          ...(await runRound({
            endpoint,
            spec: JSON.stringify(system.spec),
            requests: 1 + Math.ceil(warms / colds),
            seed: options.seed + round,
            label: `${name}-${endpoint}-${round}`,
          })),
        );
      figures.push(...figuresOf(`${name} ${endpoint}`, splits));
    }
  }
  const conditions = { seed: options.seed, colds, warms, storage: "dynalite", onAws: false };
  return { name: "lambda-twin", figures, conditions, notRun: [notOnAws] };
}

const notOnAws = {
  what: "AWS",
  why: "no credentials are used here; both endpoints are on this machine",
  get: "an AWS account",
};

/** One fresh deployment: the first request is cold, the others are warm. */
async function runRound(round: {
  readonly endpoint: (typeof endpoints)[number];
  readonly spec: string;
  readonly requests: number;
  readonly seed: number;
  readonly label: string;
}): Promise<Split[]> {
  const scope = new Scope();
  let detail: InvocationDetail = {};
  try {
    const deployment = await openDeployment(round.endpoint, scope);
    const platform = scope.own(
      createLambdaPlatform({
        settings: defaultLambdaSettings,
        deployment,
        clock,
        onDetail: (_outcome, seen) => {
          detail = seen;
        },
      }),
    );
    await platform.deploy([
      {
        name: "twin",
        modulePath: handlerPath,
        exportName: "handler",
        environment: { AFT_BENCH_SYSTEM: round.spec },
        concurrencyLimit: 1,
        timeoutMs: 30_000,
      },
    ]);
    const prng = createPrng(round.seed);
    const splits: Split[] = [];
    for (let index = 0; index < round.requests; index += 1) {
      const payload = requestOf(`${round.label}-${index}`, () => prng.nextInt(keys.length));
      const outcome = await platform.invoke("twin", payload);
      splits.push(splitOf(outcome, detail));
    }
    return splits;
  } finally {
    await scope.close();
  }
}

async function openDeployment(
  endpoint: (typeof endpoints)[number],
  scope: Scope,
): Promise<Deployment> {
  if (endpoint === "serverless-offline") return createServerlessDeployment();
  const local = scope.own(await createLocalPlatform({ clock }));
  const settings = { ...defaultLambdaSettings, endpoint: local.endpoint };
  const client = createLambdaClient(settings);
  scope.own({
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  });
  return createApiDeployment({
    control: createControlPlane(client),
    settings,
    roleArn: "arn:aws:iam::000000000000:role/none",
    deploymentId: "twin",
  });
}

/** One function of the paper's standard transaction: two reads and a write of 4 KB. */
function requestOf(requestId: string, next: () => number): FunctionPayload {
  const key = (): string => keys[next()] ?? "twin-0";
  const written = key();
  return {
    requestId,
    operations: [
      { kind: "read", key: key() },
      { kind: "read", key: key() },
      { kind: "write", key: written },
    ],
    writeSet: [written],
    sequenceBase: 0,
    payloadSeed: 1,
    valueBytes: 4_096,
    last: true,
  };
}

function splitOf(outcome: InvocationOutcome, { functionUs }: InvocationDetail): Split {
  if (outcome.kind !== "ok" || functionUs === undefined)
    throw new Error(`an invocation ended as ${JSON.stringify(outcome)}`);
  const { stateUs, commit } = outcome.result as FunctionResult;
  if (commit?.kind !== "committed" || stateUs === undefined)
    throw new Error(`a request did not commit: ${JSON.stringify(outcome.result)}`);
  const { startUs, endUs, coldStart } = outcome.timings;
  return {
    cold: coldStart,
    totalMs: (endUs - startUs) / 1_000,
    invocationMs: (endUs - startUs - functionUs) / 1_000,
    functionMs: (functionUs - stateUs) / 1_000,
    stateMs: stateUs / 1_000,
  };
}

/** Medians with quartiles. */
function figuresOf(id: string, splits: readonly Split[]): MicroFigure[] {
  return [true, false].flatMap((cold) => {
    const some = splits.filter((split) => split.cold === cold);
    if (some.length === 0) return [];
    return (["totalMs", "invocationMs", "functionMs", "stateMs"] as const).map((part) => {
      const times = some.map((split) => split[part]);
      return {
        id: `${id} ${cold ? "cold" : "warm"} ${part.slice(0, -2)} (${some.length})`,
        value: quantile(times, 0.5),
        unit: "ms",
        low: quantile(times, 0.25),
        high: quantile(times, 0.75),
      };
    });
  });
}
