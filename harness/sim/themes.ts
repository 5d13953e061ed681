/**
 * @module Some seeds are about one thing. Mistakes that show only where several circumstances meet (a small
 * buffer, a commit that stays open for long, a search for orphans meanwhile) are found by drawing these
 * together on purpose; drawn one by one they meet once in thousands of seeds. Pure.
 *
 *   slow writers      commits stay open for longer than orphaned data is left alone
 *   joins under fire  replicas start again at once, and cannot read the commit set, while clients call
 *   cut off           replicas are declared dead, still serve, and are heard again
 *   told only some    replicas die soon after others no longer hear what they commit
 *   missed again      replicas miss more than is kept for them, and once more soon after they have read it
 */
import type { Prng } from "#kit/prng.ts";
import { type Fault, isCalm, type SimConfig } from "./config.ts";

export const themes = [
  "none",
  "slow writers",
  "joins under fire",
  "cut off",
  "told only some",
  "missed again",
] as const;

export type Theme = (typeof themes)[number];

/** Of seeds, each theme but "none". */
const share = 0.05;
/** While clients are at work. */
const beginMs = 500;
const endMs = 6_000;

/** Which theme a seed has; whether it can be played depends on its configuration. */
export function drawTheme(prng: Prng): Theme {
  return themes[1 + Math.floor(prng.next() / share)] ?? "none";
}

/** The configuration with the theme in it; unchanged where it makes no sense. */
export function withTheme(config: SimConfig, theme: Theme, prng: Prng): SimConfig {
  // One replica alone has nobody to be cut off from, and without a conditional put it must not crash (D93).
  if (config.managers === 0 || isCalm(config)) return config;
  switch (theme) {
    case "none":
      return config;
    case "slow writers":
      return slowWriters(config, prng);
    case "joins under fire":
      return joinsUnderFire(config, prng);
    case "cut off":
      return cutOff(config, prng);
    case "told only some":
      return toldOnlySome(config, prng);
    case "missed again":
      return missedAgain(config, prng);
  }
}

function slowWriters(config: SimConfig, prng: Prng): SimConfig {
  const holdUp = (): Fault => {
    const target = `r${1 + prng.nextInt(config.replicas)}`;
    const atMs = anInstant(prng);
    const forMs = pick(prng, [3_000, 6_000]);
    return prng.next() < 0.5
      ? { kind: "pause", atMs, target, forMs }
      : { kind: "cut", atMs, from: target, to: "store", forMs };
  };
  return {
    ...config,
    requests: 30,
    writes: 2,
    thinkMs: 50,
    // Spilling needs consistent reads.
    engine: { ...config.engine, lagUs: 0 },
    settings: {
      ...config.settings,
      maxBufferBytes: 600,
      transactionTimeoutMs: 1_000,
      orphanSweepMs: 500,
    },
    functions: { ...config.functions, slow: 0.4, slowMs: 300 },
    faults: together(config, [holdUp(), holdUp(), holdUp()]),
  };
}

function joinsUnderFire(config: SimConfig, prng: Prng): SimConfig {
  const replicas = 1 + prng.nextInt(2);
  const crash = (): Fault[] => {
    const target = `r${1 + prng.nextInt(replicas)}`;
    const atMs = anInstant(prng);
    const restartMs = pick(prng, [20, 100]);
    const forMs = pick(prng, [500, 1_500]);
    return [
      { kind: "crash", atMs, target, restartMs, silent: false },
      { kind: "cut", atMs, from: target, to: "store", forMs },
    ];
  };
  return {
    ...config,
    replicas,
    requests: 40,
    thinkMs: pick(prng, [20, 100]),
    prefilled: true,
    engine: { ...config.engine, lagUs: 0 },
    faults: together({ ...config, replicas }, [...crash(), ...crash()]),
  };
}

function cutOff(config: SimConfig, prng: Prng): SimConfig {
  const replicas = 2 + prng.nextInt(2);
  const multicastMs = 200;
  const isolation = (): Fault[] => {
    const target = `r${1 + prng.nextInt(replicas)}`;
    const atMs = anInstant(prng);
    const forMs = pick(prng, [1_500, 3_000]);
    const others = [...numbered("r", replicas), ...numbered("m", config.managers)];
    return others
      .filter((other) => other !== target)
      .flatMap((other): Fault[] => [
        { kind: "cut", atMs, from: target, to: other, forMs },
        { kind: "cut", atMs, from: other, to: target, forMs },
      ]);
  };
  return {
    ...config,
    replicas,
    requests: 40,
    thinkMs: pick(prng, [50, 200]),
    prefilled: true,
    engine: { ...config.engine, lagUs: 0 },
    cluster: { ...config.cluster, multicastMs, deadAfterMs: 3 * multicastMs },
    faults: together({ ...config, replicas }, [...isolation(), ...isolation()]),
  };
}

function toldOnlySome(config: SimConfig, prng: Prng): SimConfig {
  const replicas = 3 + prng.nextInt(2);
  const multicastMs = 200;
  // Who dies reads everything when it is back: whoever missed something must not.
  const target = `r${1 + prng.nextInt(replicas)}`;
  const end = (): Fault[] => {
    // Late: what was missed must not be written over before all is judged.
    const atMs = 3 * beginMs + prng.nextInt(2_500);
    // Longer, and those who miss it would read the commit set when they are told that it is dead.
    const deafMs = pick(prng, [300, 600]);
    const others = numbered("r", replicas).filter((other) => other !== target);
    const first = prng.nextInt(others.length);
    const deaf = others.filter((_other, index) => index === first || prng.next() < 0.3);
    return [
      ...deaf.map((to): Fault => ({ kind: "cut", atMs, from: target, to, forMs: 2 * deafMs })),
      {
        kind: "crash",
        atMs: atMs + deafMs,
        target,
        restartMs: pick(prng, [50, 3_000, 0]),
        silent: prng.next() < 0.5,
      },
    ];
  };
  return {
    ...config,
    replicas,
    requests: 20,
    thinkMs: 100,
    keys: 40,
    zipfTheta: 0,
    engine: { ...config.engine, lagUs: 0 },
    cluster: { ...config.cluster, multicastMs, deadAfterMs: 3 * multicastMs },
    faults: together({ ...config, replicas }, [...end(), ...end()]),
  };
}

function missedAgain(config: SimConfig, prng: Prng): SimConfig {
  const replicas = 2 + prng.nextInt(2);
  const multicastMs = 200;
  const from = `r${1 + prng.nextInt(replicas)}`;
  const others = numbered("r", replicas).filter((other) => other !== from);
  const to = pick(prng, others);
  // Managers hear all of it meanwhile, and have nothing to tell.
  const firstMs = 2 * beginMs + prng.nextInt(2_500);
  const againMs = firstMs + pick(prng, [1_200, 2_500]);
  const forMs = 1_000;
  return {
    ...config,
    replicas,
    requests: 40,
    thinkMs: pick(prng, [50, 100]),
    keys: 40,
    zipfTheta: 0,
    engine: { ...config.engine, lagUs: 0 },
    cluster: {
      ...config.cluster,
      multicastMs,
      deadAfterMs: 3 * multicastMs,
      maxBatch: 1_000,
      maxKept: 5,
    },
    faults: together({ ...config, replicas }, [
      { kind: "cut", atMs: firstMs, from, to, forMs },
      { kind: "cut", atMs: againMs, from, to, forMs },
    ]),
  };
}

/** The theme's faults with the first of those that were drawn anyway, as far as they name somebody. */
function together({ faults, replicas }: SimConfig, own: readonly Fault[]): Fault[] {
  const isThere = (name: string): boolean =>
    !/^r\d/.test(name) || Number(name.slice(1)) <= replicas;
  const others = faults
    .filter((fault) => {
      if (fault.kind === "cut") return isThere(fault.from) && isThere(fault.to);
      return !("target" in fault) || isThere(fault.target);
    })
    .slice(0, 1);
  return [...others, ...own].toSorted((a, b) => a.atMs - b.atMs);
}

function anInstant(prng: Prng): number {
  return beginMs + prng.nextInt(endMs - beginMs);
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_unused, index) => `${letter}${index + 1}`);
}

function pick<T>(prng: Prng, choices: readonly T[]): T {
  return choices[prng.nextInt(choices.length)] as T;
}
