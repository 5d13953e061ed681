/**
 * Goal    A plan says all that parts must agree on, and what is no plan is refused with every reason.
 * Method  Hand cases; each refusal by its class and place.
 */
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { CellPlan } from "../../define.ts";
import { type FleetPlanRequest, makeFleetPlan } from "./make-plan.ts";
import { hashOfPlan, loadSeconds, parseFleetPlan } from "./plan.ts";
import { isOnLoopback } from "./reach.ts";
import { fleetPlan } from "./testing.ts";

const cell: CellPlan = {
  cell: { ...fleetPlan().cell, platform: "local" },
  storage: { service: "redis", emulation: "none" },
  system: "aft",
  platform: { name: "inline", invocation: "none" },
  workload: { name: "paper", parameters: {} },
  load: closedLoad({ clients: 6, requestsPerClient: 9, warmUpRequestsPerClient: 1, blocks: 6 }),
  faults: { kind: "none" },
  estimateSeconds: 4,
};
const request: FleetPlanRequest = {
  experiment: "overhead",
  profile: "quick",
  plan: cell,
  given: { endpoints: ["replica:6390"] },
  seed: 7,
  parts: 3,
  start: { kind: "when-ready", graceMs: 2_000 },
  lateLimitMs: 250,
  gatherSeconds: 30,
  objects: "s3://bucket/fleet",
  git: { commit: "c0ffee", dirty: false },
  command: [],
  nowMs: 1_000_000,
  suffix: "x",
};

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ where }) => where);
    throw error;
  }
  return [];
}

describe("a fleet's plan", () => {
  it("is the same for every reader: its hash does not depend on how it is written", () => {
    const plan = makeFleetPlan(request);
    const read = parseFleetPlan(JSON.stringify(plan), "plan.json");
    const turned = Object.fromEntries(Object.entries(plan).toReversed()) as typeof plan;
    expect(hashOfPlan(read)).toBe(hashOfPlan(plan));
    expect(hashOfPlan(parseFleetPlan(JSON.stringify(turned, undefined, 3), "x"))).toBe(
      hashOfPlan(plan),
    );
    expect(hashOfPlan({ ...plan, seed: 8 })).not.toBe(hashOfPlan(plan));
  });

  it("has the load in one piece, cut into as many slices as the cell has blocks", () => {
    const plan = makeFleetPlan(request);
    expect(plan.load).toMatchObject({ blocks: 1, generators: 3, clients: 6 });
    expect(plan.slices).toBe(6);
    expect(plan.cell["parts"]).toBe(3);
    // Coming, the grace, the load, and what is around them.
    expect(plan.timeLimitSeconds).toBe(30 + 2 + 4 + 90);
  });

  it("bounds an open loop by its schedule and the wait for the last answers", () => {
    expect(loadSeconds(fleetPlan().load, 0)).toBe(12);
  });

  it("opens several replicas as a cluster, one as itself, and names files in place of secrets", () => {
    const given = { endpoints: ["a:1", "b:2"], username: "u", passwordFile: "/p", caFile: "/ca" };
    expect(makeFleetPlan({ ...request, given }).system.options).toMatchObject({
      endpoints: ["a:1", "b:2"],
      username: "u",
      passwordFile: "/p",
      tls: { caFile: "/ca" },
    });
    expect(makeFleetPlan(request).system.options).toEqual({ endpoint: "replica:6390" });
  });

  it("refuses what a fleet cannot do, all at once", () => {
    const plan = {
      ...cell,
      storage: { service: "redis", emulation: "s3" },
      faults: { kind: "fail-operations", probability: 0.1 },
    } as const;
    const start = { kind: "at", atMs: 999_999 } as const;
    const given = { endpoints: ["no port"] };
    expect(problemsOf(() => makeFleetPlan({ ...request, plan, parts: 7, start, given }))).toEqual([
      "--only",
      "--only",
      "--parts",
      "--start-at",
      "--aft",
    ]);
    const direct = { ...cell, system: "direct" };
    expect(problemsOf(() => makeFleetPlan({ ...request, plan: direct }))).toEqual(["--store"]);
    const other = { endpoints: ["a:1"], store: { engine: "memory" } } as const;
    expect(problemsOf(() => makeFleetPlan({ ...request, given: other }))).toEqual(["--store"]);
  });

  it("is refused when it is no JSON, of another form, or for another number of parts", () => {
    const plan = fleetPlan();
    const refused = ["{", "{}", JSON.stringify({ ...plan, surprise: 1 })];
    refused.push(JSON.stringify({ ...plan, parts: 4 }), JSON.stringify({ ...plan, runId: "../x" }));
    for (const text of refused)
      expect(problemsOf(() => parseFleetPlan(text, "plan.json"))).toEqual(["plan.json"]);
    expect(parseFleetPlan(JSON.stringify(plan), "plan.json")).toEqual(plan);
  });
});

describe("what another machine does not reach", () => {
  it.each([
    ["nothing", {}, false],
    ["a replica", { system: { system: "aft", options: { endpoint: "127.0.0.1:6390" } } }, true],
    [
      "one of several",
      { system: { system: "aft", options: { endpoints: ["a:1", "localhost:2"] } } },
      true,
    ],
    ["the objects", { objects: "s3://b/p?endpoint=http%3A%2F%2F127.0.0.1%3A4566" }, true],
    ["the objects, as written", { objects: "s3://b/p?endpoint=http://127.0.0.1:4566" }, true],
    [
      "a store in files",
      {
        system: {
          system: "direct",
          options: { storage: { target: { engine: "lmdb", directory: "/d" } } },
        },
      },
      true,
    ],
  ])("%s", (_what, more, expected) => {
    expect(isOnLoopback(fleetPlan(more))).toBe(expected);
  });
});
