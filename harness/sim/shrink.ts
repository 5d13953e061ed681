/**
 * @module Makes a failing simulation smaller while it still fails in the same way: fewer faults, clients,
 * requests, replicas, keys; nothing drawn that does not matter.
 */
import type { SimConfig } from "./config.ts";
import type { SimResult } from "./simulate.ts";

export interface Shrunk {
  readonly config: SimConfig;
  readonly violations: readonly string[];
  /** Simulations it took. */
  readonly tried: number;
}

/** What a violation is about: its first word, for instance `O3` or `checker`. */
export function kindOf(violation: string | undefined): string {
  return /^[^:]*/.exec(violation ?? "")?.[0] ?? "";
}

/** Greedy, in rounds, until nothing can be left out or `atMost` simulations have been run. */
export async function shrink(
  failing: SimConfig,
  run: (config: SimConfig) => Promise<SimResult>,
  atMost = 200,
): Promise<Shrunk> {
  let best = failing;
  let { violations } = await run(failing);
  const wanted = kindOf(violations[0]);
  let tried = 1;
  for (let improved = true; improved && tried < atMost;) {
    improved = false;
    for (const candidate of smaller(best)) {
      if (tried >= atMost) break;
      tried += 1;
      const result = await run(candidate);
      if (!result.violations.some((what) => kindOf(what) === wanted)) continue;
      best = candidate;
      ({ violations } = result);
      improved = true;
      break;
    }
  }
  return { config: best, violations, tried };
}

/** Candidates, the largest steps first. */
function* smaller(config: SimConfig): Generator<SimConfig> {
  const { faults, functions, engine } = config;
  if (faults.length > 1) {
    yield { ...config, faults: [] };
    const half = Math.ceil(faults.length / 2);
    yield { ...config, faults: faults.slice(0, half) };
    yield { ...config, faults: faults.slice(half) };
  }
  for (const index of faults.keys())
    yield { ...config, faults: faults.filter((_fault, other) => other !== index) };
  for (const name of ["crash", "duplicate", "zombie", "slow"] as const)
    if (functions[name] > 0) yield { ...config, functions: { ...functions, [name]: 0 } };
  for (const [name, least] of [
    ["clients", 1],
    ["requests", 1],
    ["replicas", 1],
    ["keys", 1],
    ["reads", 1],
    ["writes", 1],
    ["connections", 1],
  ] as const) {
    const value = config[name];
    if (value <= least) continue;
    yield { ...config, [name]: Math.max(least, Math.floor(value / 2)) };
    yield { ...config, [name]: value - 1 };
  }
  if (config.managers > 1) yield { ...config, managers: 1 };
  for (const name of ["skewMs", "driftPpm", "zipfTheta"] as const)
    if (config[name] !== 0) yield { ...config, [name]: 0 };
  for (const name of ["shuffleTies", "peersAsText"] as const)
    if (config[name]) yield { ...config, [name]: false };
  if (config.maxRidingWrites < 64) yield { ...config, maxRidingWrites: 64 };
  if (config.lateAnswers) yield { ...config, lateAnswers: false };
  if (engine.lagUs > 0) yield { ...config, engine: { ...engine, lagUs: 0 } };
}
