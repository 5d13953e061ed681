/**
 * Goal    A failing configuration becomes smaller, keeps failing in the same way, and ends.
 */
import { expect, it } from "vitest";
import type { SimConfig } from "./config.ts";
import { drawConfig } from "./draw.ts";
import { kindOf, shrink } from "./shrink.ts";
import type { SimResult } from "./simulate.ts";

const pause = { kind: "pause", atMs: 1, target: "r1", forMs: 1 } as const;
const reset = { kind: "reset", atMs: 2, target: "r1" } as const;

function resultOf(config: SimConfig, violations: readonly string[]): SimResult {
  return {
    seed: config.seed,
    violations,
    traceHash: "",
    events: 0,
    virtualMs: 0,
    requests: { done: 0, givenUp: 0 },
    transactions: { committed: 0, aborted: 0, unknown: 0 },
    operations: 0,
    errors: {},
  };
}

it("keeps what the failure needs and drops the rest", async () => {
  const failing = {
    ...drawConfig(1),
    replicas: 5,
    clients: 6,
    requests: 20,
    faults: [reset, pause, reset],
  };
  const shrunk = await shrink(failing, (config) => {
    const fails = config.faults.includes(pause) && config.replicas >= 2 && config.clients >= 3;
    return Promise.resolve(resultOf(config, fails ? ["O3: gone"] : ["P3: something else"]));
  });
  const { faults, replicas, clients, requests, keys } = shrunk.config;
  expect({ faults, replicas, clients, requests, keys }).toEqual({
    faults: [pause],
    replicas: 2,
    clients: 3,
    requests: 1,
    keys: 1,
  });
  expect(shrunk.violations).toEqual(["O3: gone"]);
});

it("ends after so many simulations", async () => {
  const shrunk = await shrink(
    drawConfig(1),
    (config) => Promise.resolve(resultOf(config, ["x: y"])),
    10,
  );
  expect(shrunk.tried).toBeLessThanOrEqual(10);
});

it("tells kinds of violations apart", () => {
  expect(kindOf("O3: the newest version")).toBe("O3");
  expect(kindOf(undefined)).toBe("");
});
