/** @module Options that the systems on a Redis server share, checked. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { defaultMaxContextBytes } from "#shim/state/carried.ts";
import type { StorageSpec, StorageTarget } from "#shim/storage/target.ts";

export interface RedisSystemOptions {
  readonly url: string;
  readonly emulation: StorageSpec["emulation"];
  /** A command not answered within this time fails; whether it was carried out is then not known. */
  readonly timeoutMs: number;
  /** A larger context is refused when it would be passed on. */
  readonly maxContextBytes: number;
  /** How long a finished request is remembered. */
  readonly retentionMs: number;
  /** How long the steps of a finished request are kept for attempts that are still under way. */
  readonly replayMs: number;
}

const defaults = {
  timeoutMs: 5_000,
  maxContextBytes: defaultMaxContextBytes,
  // As long as AFT keeps outcomes.
  retentionMs: 300_000,
  replayMs: 10_000,
};

/**
 * Reads `{ storage: StorageSpec, timeoutMs?, maxContextBytes?, retentionMs?, replayMs? }`.
 *
 * @throws ConfigError naming every problem.
 */
export function readRedisOptions(
  system: string,
  options: Readonly<Record<string, unknown>>,
): RedisSystemOptions {
  const problems: ConfigProblem[] = [];
  const storage = options["storage"] as StorageSpec | undefined;
  const problem = problemOfTarget(storage?.target);
  if (problem !== undefined) problems.push({ where: system, ...problem });
  const profile = storage?.emulation?.profile ?? "elasticache";
  if (profile !== "elasticache")
    problems.push({
      where: system,
      what: `cannot emulate "${profile}", which is no Redis`,
      hint: "elasticache is",
    });
  const number = (name: keyof typeof defaults): number => {
    const value = options[name] ?? defaults[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    problems.push({ where: `${system}.${name}`, what: "must be a whole number above 0" });
    return defaults[name];
  };
  const numbers = {
    timeoutMs: number("timeoutMs"),
    maxContextBytes: number("maxContextBytes"),
    retentionMs: number("retentionMs"),
    replayMs: number("replayMs"),
  };
  const target = storage?.target;
  const url = target?.engine === "redis" ? target.urls[0] : undefined;
  if (problems.length > 0 || url === undefined) throw new ConfigError(problems);
  return { url, emulation: storage?.emulation, ...numbers };
}

/** Why a system that needs one Redis server cannot use this store; undefined if it can. */
export function problemOfTarget(
  target: StorageTarget | undefined,
): Pick<ConfigProblem, "what" | "hint"> | undefined {
  const hint = "redis://HOST:PORT, rediss://… or unix:PATH";
  if (target === undefined) return { what: "needs a storage", hint };
  if (target.engine !== "redis")
    return { what: `runs on a Redis server, not on ${target.engine}`, hint };
  if (target.cluster)
    return { what: "needs all keys on one server, which a Redis cluster does not have", hint };
  return target.urls[0] === undefined ? { what: "names no server", hint } : undefined;
}
