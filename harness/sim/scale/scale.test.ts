/**
 * Goal    Throughput at scale is what queueing says it must be: latencies and CPU, and nothing else, decide it.
 * Method  Small clusters, by laws that hold whatever the numbers (Little's law, a full core's rate), and
 *         by hand for cores, bends and calibration files.
 */
import { describe, expect, it } from "vitest";
import type { RunSummary } from "#harness/record/run.ts";
import { SimLoop } from "../loop.ts";
import { Trace } from "../trace.ts";
import { calibrateScale } from "./calibrate.ts";
import { Cores } from "./cores.ts";
import { parseCosts, type ScaleCosts } from "./costs.ts";
import { type ScaleConfig, simulateScale } from "./scale.ts";
import { bendOf, effortOf, scaleConfigOf, type StudyPoint } from "./study.ts";

const costs: ScaleCosts = {
  v: 1,
  source: "test",
  replicaUs: 100,
  storeUs: 10,
  loadUs: 100,
  otherUs: 0,
  messageUs: 50,
  memberUs: 2,
  recordOutUs: 1,
  recordInUs: 5,
  managedUs: 10,
  memberBytes: 150,
  recordBytes: 200,
};

const small: ScaleConfig = {
  seed: 3,
  replicas: 2,
  clientsPerReplica: 4,
  emulation: "elasticache",
  zipfTheta: 1,
  keys: 50,
  multicast: "all-to-all",
  warmUpMs: 1_500,
  measuredMs: 2_000,
  networkUs: 100,
  costs,
};

describe("cores", () => {
  const finish = async (count: number): Promise<[string, number][]> => {
    const loop = new SimLoop({ trace: new Trace() });
    const cores = new Cores(loop, count);
    const [a, b] = [cores.worker(1), cores.worker(2)];
    const ended: [string, number][] = [];
    for (const [name, worker] of [
      ["a1", a],
      ["a2", a],
      ["b1", b],
    ] as const)
      worker.do(100, () => ended.push([name, loop.nowUs]));
    await loop.run(10_000);
    expect([a.busyUs, b.busyUs]).toEqual([200, 100]);
    return ended;
  };

  it("a process does one thing at a time; each has a core of its own if there are enough", async () => {
    expect(await finish(Infinity)).toEqual([
      ["a1", 100],
      ["b1", 100],
      ["a2", 200],
    ]);
  });

  it("processes that share a core take turns", async () => {
    expect(await finish(1)).toEqual([
      ["a1", 100],
      ["b1", 200],
      ["a2", 300],
    ]);
  });
});

describe("a cluster at scale", () => {
  it.each(["all-to-all", "relays"] as const)(
    "gives the same events for the same configuration, and keeps Little's law (%s)",
    async (multicast) => {
      const [one, again] = [
        await simulateScale({ ...small, multicast }),
        await simulateScale({ ...small, multicast }),
      ];
      expect(again).toEqual(one);
      const inside = (one.throughputPerSecond * one.responseTimeMs.mean) / 1_000;
      expect(inside / one.clients).toBeGreaterThan(0.95);
      expect(inside / one.clients).toBeLessThan(1.05);
      expect(one.aborted).toBe(0);
      // They heard each other, later where relays are in between.
      expect(one.heardAfterMs.mean).toBeGreaterThan(multicast === "relays" ? 500 : 100);
      expect(one.peers.records).toBeGreaterThan(0);
    },
  );

  it("cannot do more than its replicas have cores for, and says that they are full", async () => {
    const replicaUs = 20_000;
    const full = await simulateScale({ ...small, costs: { ...costs, replicaUs } });
    expect(full.throughputPerSecond).toBeLessThanOrEqual((2 * 1_000_000) / replicaUs);
    expect(full.throughputPerSecond).toBeGreaterThan(0.9 * ((2 * 1_000_000) / replicaUs));
    expect(full.cpu.replicaMean).toBeGreaterThan(0.95);
  });

  it("shares the machine's cores where it is told to", async () => {
    const heavy = { ...costs, replicaUs: 8_000, loadUs: 8_000 };
    const apart = await simulateScale({ ...small, costs: heavy });
    const together = await simulateScale({ ...small, costs: heavy, sharedCores: 1 });
    // Transactions under way at the window's edges count for one in twenty at most.
    expect(together.throughputPerSecond).toBeLessThan((1.05 * 1_000_000) / 16_000);
    expect(together.throughputPerSecond).toBeLessThan(apart.throughputPerSecond / 2);
  });
});

it.each(["all-to-all", "relays"] as const)(
  "simulates large clusters for a shorter time, and beyond 256 replicas with fewer clients (%s)",
  (multicast) => {
    const efforts = [1, 16, 64, 256, 512].map((replicas) => effortOf({ replicas, multicast }, 40));
    const times = efforts.map(({ warmUpMs, measuredMs }) => warmUpMs + measuredMs);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(efforts.map(({ clientsPerReplica }) => clientsPerReplica)).toEqual([40, 40, 40, 40, 10]);
    expect(effortOf({ replicas: 1_024, multicast }, 1).clientsPerReplica).toBe(1);
  },
);

describe("where a curve bends", () => {
  const point = (replicas: number, ofIdeal: number, replicaMax: number): StudyPoint =>
    ({
      replicas,
      ofIdeal,
      multicast: "all-to-all",
      readsFromCache: 0.9,
      cpu: { replicaMean: replicaMax, replicaMax, replicaPeers: 0.4, manager: 1, relayMax: 0 },
    }) as StudyPoint;

  it("is the first count below nine tenths of ideal, with the resource that is full", () => {
    const bend = bendOf(
      [point(1, 1, 0.2), point(8, 0.95, 0.6), point(16, 0.8, 0.97)],
      "all-to-all",
    );
    expect(bend.replicas).toBe(16);
    expect(bend.because).toContain("replicas use 97 % of the one core");
  });

  it("is nowhere if it stays near ideal; a full fault manager is named all the same", () => {
    const bend = bendOf([point(1, 1, 0.2), point(8, 0.95, 0.6)], "all-to-all");
    expect(bend.replicas).toBeUndefined();
    expect(bend.because).toContain("the fault manager's core is full at 1");
  });
});

describe("calibration", () => {
  const cell = {
    workload: "paper",
    platform: "inline",
    system: "aft",
    storage: "redis",
    emulation: "elasticache",
    faults: "none",
    zipfTheta: 1.5,
    clients: 4,
    replicas: 1,
  };
  const run = {
    runId: "a-run",
    cell,
    throughputPerSecond: 100,
    cpuCores: { load: 0.04, "replica-1": 0.03, "manager-2": 0.01, redis: 0.005 },
    responseTimeUs: { mean: 40_000 },
  } as unknown as RunSummary;
  const machine = { text: "a machine", cores: 2 };

  it("takes CPU per transaction from the record, and makes the simulated run as long as the real one", async () => {
    const found = await calibrateScale(run, machine);
    expect(found).toMatchObject({ v: 1, replicaUs: 300, loadUs: 400, storeUs: 50 });
    expect(found.source).toContain("a-run (elasticache, 4 clients), a machine");
    for (const cost of [found.messageUs, found.memberUs, found.recordInUs, found.recordOutUs])
      expect(cost).toBeGreaterThan(0);
    expect(found.managedUs).toBeGreaterThan(found.recordInUs);
    const again = await simulateScale({ ...scaleConfigOf(cell, found), sharedCores: 2 });
    expect(again.responseTimeMs.mean).toBeGreaterThan(38);
    expect(again.responseTimeMs.mean).toBeLessThan(42);
  });

  it("is refused for a run of more than one replica", async () => {
    const two = { ...run, cell: { ...cell, replicas: 2 } };
    await expect(calibrateScale(two, machine)).rejects.toThrow("a-run is no run of one replica");
  });
});

describe("calibrations", () => {
  it("are read as they were written", () => {
    expect(parseCosts(JSON.stringify(costs), "here")).toEqual(costs);
  });

  it("that are damaged are refused by name and field", () => {
    expect(() => parseCosts("{", "costs.json")).toThrow("costs.json is not JSON");
    expect(() => parseCosts(JSON.stringify({ ...costs, loadUs: -1 }), "costs.json")).toThrow(
      /costs\.json is no calibration: loadUs .* sim --calibrate/,
    );
  });

  it("are for cells that can be simulated", () => {
    const cell = {
      workload: "paper",
      platform: "inline",
      system: "direct",
      storage: "redis",
      emulation: "none",
      faults: "none",
      zipfTheta: 1,
      clients: 4,
    };
    expect(() => scaleConfigOf(cell, costs)).toThrow("only runs of AFT replicas");
    const aft = { ...cell, system: "aft", emulation: "dynamodb", replicas: 2 };
    expect(scaleConfigOf(aft, costs)).toMatchObject({ replicas: 2, clientsPerReplica: 2 });
  });
});
