/**
 * @module What a cluster costs while nobody uses it: CPU of each process, in percent of a core.
 *
 * Four replicas and a fault manager over LMDB with some committed keys. Measured in windows after
 * everything has settled; /proc counts in ticks of 10 ms, so a window is long.
 */
import { delay } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { watchCpu } from "#harness/metrics/cpu.ts";
import { startAftCluster } from "#harness/services/aft-cluster.ts";
import { startStorageService } from "#harness/services/registry.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import type { Micro, MicroFigure } from "./micro.ts";

const replicas = 4;
const keys = 100;

export const idleCluster: Micro = {
  id: "idle-cluster",
  title: "CPU of an idle cluster, process by process",
  run: async ({ smoke, signal, note }) => {
    const clock = createSystemClock();
    const windows = smoke ? 1 : 3;
    const windowSeconds = smoke ? 1 : 10;
    const store = await startStorageService("lmdb");
    try {
      const cluster = await startAftCluster({ storage: { target: store.target }, replicas });
      try {
        const options = { endpoints: cluster.seeds };
        const system = await openStateSystem({ system: "aft", options });
        for (let index = 0; index < keys; index += 1) {
          const session = system.begin({ requestId: `fill-${index}` });
          await session.put(`k${index}`, Buffer.from("v"));
          await session.commit();
        }
        await system.close();
        await delay(clock, (smoke ? 1 : 10) * 1_000_000);
        const processes = cluster.processes();
        const groups = Object.fromEntries(processes.map(({ name, pid }) => [name, [pid]]));
        const seen = new Map<string, number[]>();
        for (let window = 0; window < windows && !signal.aborted; window += 1) {
          const watch = watchCpu(groups);
          await delay(clock, windowSeconds * 1_000_000);
          for (const [name, cores] of Object.entries(watch.stop().used))
            seen.set(name, [...(seen.get(name) ?? []), cores * 100]);
          note(`idle-cluster: ${window + 1} of ${windows} windows`);
        }
        return {
          name: "idle-cluster",
          figures: [...seen].map(([name, values]) => figureOf(name, values)),
          conditions: { replicas, managers: 1, keys, windows, windowSeconds, store: "lmdb" },
          notRun: [],
        };
      } finally {
        await cluster.stop();
      }
    } finally {
      await store.stop();
    }
  },
};

/** Mean, with the lowest and highest window. */
function figureOf(name: string, values: readonly number[]): MicroFigure {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    id: `${name}-cpu`,
    value: Math.round(mean * 1_000) / 1_000,
    unit: "% of a core",
    low: Math.min(...values),
    high: Math.max(...values),
  };
}
