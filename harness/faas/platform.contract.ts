/** @module What every platform must do, as one suite. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec, Platform } from "./port.ts";

const modulePath = fileURLToPath(import.meta.resolve("./testing/functions.ts"));

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

export function describePlatformContract(
  name: string,
  open: () => Promise<Platform>,
  { kills, shortestTimeoutMs = 150 }: PlatformLimits = {},
): void {
  describe(`platform contract: ${name}`, () => {
    let platform: Platform;
    beforeAll(async () => {
      platform = await open();
      await platform.deploy([
        testFunction("echo"),
        testFunction("fail"),
        testFunction("slow", { concurrencyLimit: 2 }),
        testFunction("slow", { name: "impatient", timeoutMs: shortestTimeoutMs }),
      ]);
    });
    afterAll(() => platform.close());

    it("runs a function with its payload and its environment", async () => {
      const outcome = await platform.invoke("echo", { a: [1, "ü", null] });
      if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
      expect(outcome.result).toMatchObject({
        payload: { a: [1, "ü", null] },
        setting: "from the environment",
      });
      expect(outcome.timings.endUs).toBeGreaterThanOrEqual(outcome.timings.startUs);
    });

    it("starts cold once and is warm then", async () => {
      await platform.invoke("echo", null);
      const { coldStarts } = await platform.stats();
      const outcome = await platform.invoke("echo", null);
      expect(outcome.timings.coldStart).toBe(false);
      expect((await platform.stats()).coldStarts).toBe(coldStarts);
    });

    it("tells a function's error from its own", async () => {
      expect(await platform.invoke("fail", { message: "on purpose" })).toMatchObject({
        kind: "functionError",
        errorType: "TypeError",
        message: "on purpose",
      });
      expect(await platform.invoke("nobody", null)).toMatchObject({ kind: "platformError" });
    });

    it("refuses beyond the concurrency limit and runs nothing then", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, () => platform.invoke("slow", { ms: 300 })),
      );
      const kinds = outcomes.map(({ kind }) => kind).toSorted();
      expect(kinds).toEqual(["ok", "ok", "throttled", "throttled", "throttled"]);
      expect(await platform.invoke("slow", { ms: 1 })).toMatchObject({ kind: "ok" });
    });

    it("ends what takes too long", async () => {
      expect(await platform.invoke("impatient", { ms: 2_000 })).toMatchObject({ kind: "timeout" });
      expect((await platform.stats()).timeouts).toBe(1);
    });

    it.skipIf(kills === false)("kills an instance in the middle of its function", async () => {
      const running = platform.invoke("slow", { ms: 400 });
      await new Promise((resolve) => {
        setTimeout(resolve, 150);
      });
      expect(await platform.killBusyInstances(1)).toBe(1);
      expect(await running).toMatchObject({ kind: "instanceLost" });
      expect(await platform.invoke("slow", { ms: 1 })).toMatchObject({ kind: "ok" });
      expect(await platform.killBusyInstances(1)).toBe(0);
    });
  });
}
