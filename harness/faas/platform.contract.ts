/** @module What every platform must do. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ContractClause } from "#kit/contract.ts";
import type { FunctionSpec, InvocationOutcome, Platform } from "./port.ts";

const modulePath = fileURLToPath(import.meta.resolve("#harness/faas/testing/functions.ts"));

export function testFunction(
  exportName: string,
  overrides: Partial<FunctionSpec> = {},
): FunctionSpec {
  return {
    name: exportName,
    modulePath,
    exportName,
    environment: { SETTING: "from the environment" },
    concurrencyLimit: 4,
    timeoutMs: 5_000,
    ...overrides,
  };
}

/** What a platform cannot do, or only on a scale of its own. */
export interface PlatformLimits {
  readonly kills?: false;
  /** Lambda knows whole seconds. */
  readonly shortestTimeoutMs?: number;
}

export interface PlatformSubject {
  readonly platform: Platform;
  readonly limits: PlatformLimits;
}

/** Deploys what the clauses invoke. */
export async function openPlatformSubject(
  open: () => Promise<Platform>,
  limits: PlatformLimits = {},
): Promise<{ readonly subject: PlatformSubject; readonly cleanUp: () => Promise<void> }> {
  const platform = await open();
  try {
    await platform.deploy([
      testFunction("echo"),
      testFunction("fail"),
      testFunction("slow", { concurrencyLimit: 2 }),
      testFunction("slow", { name: "impatient", timeoutMs: limits.shortestTimeoutMs ?? 150 }),
    ]);
  } catch (error) {
    await platform.close();
    throw error;
  }
  return { subject: { platform, limits }, cleanUp: () => platform.close() };
}

export const platformContract: readonly ContractClause<PlatformSubject>[] = [
  {
    name: "runs a function with its payload and its environment",
    check: async ({ platform }) => {
      const outcome = await platform.invoke("echo", { a: [1, "ü", null] });
      assert.equal(outcome.kind, "ok", JSON.stringify(outcome));
      const { payload, setting } = resultOf(outcome);
      assert.deepEqual(payload, { a: [1, "ü", null] });
      assert.equal(setting, "from the environment");
      assert.ok(outcome.timings.endUs >= outcome.timings.startUs, "it ended before it started");
    },
  },
  {
    name: "starts cold once and is warm then",
    check: async ({ platform }) => {
      await platform.invoke("echo", null);
      const { coldStarts } = await platform.stats();
      const outcome = await platform.invoke("echo", null);
      assert.equal(outcome.timings.coldStart, false);
      assert.equal((await platform.stats()).coldStarts, coldStarts);
    },
  },
  {
    name: "tells a function's error from its own",
    check: async ({ platform }) => {
      const outcome = await platform.invoke("fail", { message: "on purpose" });
      if (outcome.kind !== "functionError") throw new Error(JSON.stringify(outcome));
      const { errorType, message } = outcome;
      assert.deepEqual({ errorType, message }, { errorType: "TypeError", message: "on purpose" });
      assert.equal((await platform.invoke("nobody", null)).kind, "platformError");
    },
  },
  {
    name: "refuses beyond the concurrency limit and runs nothing then",
    check: async ({ platform }) => {
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, () => platform.invoke("slow", { ms: 300 })),
      );
      const kinds = outcomes.map(({ kind }) => kind).toSorted();
      assert.deepEqual(kinds, ["ok", "ok", "throttled", "throttled", "throttled"]);
      assert.equal((await platform.invoke("slow", { ms: 1 })).kind, "ok");
    },
  },
  {
    name: "ends what takes too long",
    check: async ({ platform }) => {
      const { timeouts } = await platform.stats();
      assert.equal((await platform.invoke("impatient", { ms: 2_000 })).kind, "timeout");
      assert.equal((await platform.stats()).timeouts, timeouts + 1);
    },
  },
  {
    name: "kills an instance in the middle of its function",
    notFor: ({ limits }) => (limits.kills === false ? "it kills nobody" : undefined),
    check: async ({ platform }) => {
      const running = platform.invoke("slow", { ms: 400 });
      await new Promise((resolve) => {
        setTimeout(resolve, 150);
      });
      assert.equal(await platform.killBusyInstances(1), 1);
      assert.equal((await running).kind, "instanceLost");
      assert.equal((await platform.invoke("slow", { ms: 1 })).kind, "ok");
      assert.equal(await platform.killBusyInstances(1), 0);
    },
  },
];

function resultOf(outcome: InvocationOutcome): Readonly<Record<string, unknown>> {
  return outcome.kind === "ok" ? { ...(outcome.result as object) } : {};
}
