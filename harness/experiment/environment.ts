/**
 * @module Everything that must be up before a cell can run: store, systems, platform, functions.
 *
 * Every started thing is owned by the environment's scope and stopped with it, also when bringing
 * up fails half-way.
 */
import { fileURLToPath } from "node:url";
import type { Clock } from "#kit/clock.ts";
import { missingPackages } from "#kit/node/optional-package.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { FunctionSpec, Platform } from "#harness/faas/port.ts";
import { shortEventPausesMs } from "#harness/faas/local/platform.ts";
import { createPlatform } from "#harness/faas/registry.ts";
import { concurrencyOf } from "#harness/loadgen/load.ts";
import type { StorageService } from "#harness/services/port.ts";
import { startStorageService } from "#harness/services/registry.ts";
import { packagesOf } from "#shim/state/registry.ts";
import { emulationProfiles, invocationProfiles } from "#shim/storage/emulated/profiles.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { CellPlan } from "./define.ts";
import { invocationLatencyOf } from "./invocation-latency.ts";
import { checkReach, elsewhere, type LambdaPlace } from "./lambda-place.ts";
import { Scope } from "./scope.ts";
import { bringUpSystem, type RunningSystem } from "./systems.ts";

export interface Environment {
  readonly storage: StorageService;
  readonly storageSpec: StorageSpec;
  readonly platform: Platform;
  readonly systems: ReadonlyMap<string, RunningSystem>;
  /** What is deployed, for generator processes that run functions themselves. */
  readonly functions: readonly FunctionSpec[];
  /** Emulations in force, as data for the manifest. */
  readonly emulation: readonly Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

export interface EnvironmentRequest {
  readonly plans: readonly CellPlan[];
  readonly seed: number;
  readonly clock: Clock;
  /** State systems from outside the repository, by name. */
  readonly externalSystems: ReadonlyMap<string, string>;
  /** Absent: nobody named one, and cells on `lambda` do not run. */
  readonly lambda?: LambdaPlace;
}

/** Functions run this long at most; far above any honest transaction, far below a hang. */
const functionTimeoutMs = 30_000;

/** The function that every system is called through. */
export const handlerPath = fileURLToPath(import.meta.resolve("#workloads/functions/handler.ts"));

/** The name under which a system's function is deployed. */
export function functionNameOf(system: string): string {
  return `aft-bench-${system}`;
}

/**
 * Brings up what `plans` need; they must agree in storage and platform (`groupCells`).
 * Rejects with `NotAvailableError` when a server or a system's package is not installed; then nothing is left running.
 */
export async function openEnvironment(request: EnvironmentRequest): Promise<Environment> {
  const scope = new Scope();
  try {
    return await bringUp(request, scope);
  } catch (error) {
    await scope.close();
    throw error;
  }
}

async function bringUp(request: EnvironmentRequest, scope: Scope): Promise<Environment> {
  const [first] = request.plans;
  if (first === undefined) throw new RangeError("an environment needs at least one cell");

  const lambda = first.platform.name === "lambda" ? request.lambda : undefined;
  for (const plan of request.plans) await checkSystem(plan, request);
  const storage = scope.own(
    lambda?.store === undefined
      ? await startStorageService(first.storage.service, first.storage.modulePath)
      : elsewhere(lambda.store),
  );
  const { emulation } = first.storage;
  const storageSpec: StorageSpec = {
    target: storage.target,
    ...(emulation !== "none" && {
      emulation: {
        profile: emulation,
        seed: request.seed,
        ...(first.coarseTimers === true && { coarse: true }),
      },
    }),
  };

  const systems = new Map<string, RunningSystem>();
  const plans = new Map(request.plans.map((plan) => [plan.system, plan]));
  for (const [name, { cluster }] of plans) {
    const modulePath = request.externalSystems.get(name);
    systems.set(
      name,
      await bringUpSystem({
        name,
        ...(modulePath !== undefined && { modulePath }),
        storage: storageSpec,
        scope,
        ...(lambda?.aftEndpoint !== undefined && { aftEndpoint: lambda.aftEndpoint }),
        ...(cluster !== undefined && { cluster }),
        ...(first.exactlyOnce === true && { exactlyOnce: true }),
      }),
    );
  }

  const platform = scope.own(await openPlatform(request, first));
  const functions = [...systems].map(([system, { spec }]) =>
    functionSpecOf({ system, spec, plans: request.plans }),
  );
  await platform.deploy(functions);

  return {
    storage,
    storageSpec,
    platform,
    systems,
    functions,
    emulation: describeEmulation(first),
    close: () => scope.close(),
  };
}

/** Before anything is started: its packages are installed, and functions can have and reach what they need. */
async function checkSystem(plan: CellPlan, request: EnvironmentRequest): Promise<void> {
  const { externalSystems, lambda } = request;
  const isOutside = externalSystems.has(plan.system);
  const needs = isOutside ? [] : await packagesOf(plan.system);
  checkReach(plan, lambda, isOutside || needs.length > 0);
  const missing = missingPackages(plan.system, needs);
  if (missing !== undefined) throw missing;
}

/** What is deployed for a system; `spec`: how functions open it. */
export function functionSpecOf(options: {
  readonly system: string;
  readonly spec: unknown;
  readonly plans: readonly Pick<CellPlan, "load" | "faults">[];
}): FunctionSpec {
  const { system, spec, plans } = options;
  // Every request may be there twice at once.
  const invocationsOf = ({ load, faults }: Pick<CellPlan, "load" | "faults">): number =>
    concurrencyOf(load) * (faults.kind === "mishaps" ? 2 : 1);
  return {
    name: functionNameOf(system),
    modulePath: handlerPath,
    exportName: "handler",
    environment: { AFT_BENCH_SYSTEM: JSON.stringify(spec) },
    concurrencyLimit: Math.max(...plans.map(invocationsOf)),
    timeoutMs: functionTimeoutMs,
  };
}

function openPlatform(request: EnvironmentRequest, plan: CellPlan): Promise<Platform> {
  const { invocation, name, modulePath } = plan.platform;
  const prng = createPrng(request.seed).fork("invocation-latency");
  const clock = plan.coarseTimers === true ? createSystemClock() : request.clock;
  const { lambda } = request;
  const options = {
    clock,
    ...invocationLatencyOf(invocation, prng),
    ...(lambda !== undefined && { lambda: lambda.target }),
    ...(plan.retriedBy === "platform" && { eventRetryPausesMs: shortEventPausesMs }),
    // Asking for them costs time, and only they tell how long a start took.
    ...(plan.coldBlocks === true && { tailLogs: true }),
  };
  return createPlatform(name, options, modulePath);
}

/** Everything emulated in this environment, with parameters and sources, for every manifest. */
function describeEmulation({
  storage,
  platform,
  coarseTimers,
}: CellPlan): Record<string, unknown>[] {
  const described: Record<string, unknown>[] = [];
  if (coarseTimers === true) described.push({ axis: "timers", lateUsAtMost: 1_000 });
  if (storage.emulation !== "none")
    described.push({ axis: "storage", ...emulationProfiles[storage.emulation] });
  if (platform.invocation !== "none") {
    const { shape, source } = invocationProfiles[platform.invocation];
    described.push({ axis: "platform", name: platform.invocation, ...shape, source });
  }
  return described;
}
