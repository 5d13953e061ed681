/** @module Options that systems of objects share, checked. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { ObjectClientSettings } from "./object-client.ts";

const defaults = { timeoutMs: 5_000, maxConnections: 64 };

/**
 * Reads `{ storage: StorageSpec, timeoutMs?, maxConnections? }`.
 *
 * @throws ConfigError naming every problem.
 */
export function readObjectOptions(
  system: string,
  engine: "restate" | "workerd",
  options: Readonly<Record<string, unknown>>,
): ObjectClientSettings {
  const problems: ConfigProblem[] = [];
  const storage = options["storage"] as StorageSpec | undefined;
  const target = storage?.target;
  const isThere = target?.engine === engine;
  if (!isThere) {
    const what = `runs on ${engine}, not on ${target?.engine ?? "nothing"}`;
    problems.push({ where: system, what, hint: "a server that the suite has started" });
  }
  if (storage?.emulation !== undefined)
    problems.push({ where: system, what: "has no emulated network" });
  const numbers = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name] ?? defaults[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0)
      numbers[name] = value;
    else problems.push({ where: `${system}.${name}`, what: "must be a whole number above 0" });
  }
  if (problems.length > 0 || !isThere) throw new ConfigError(problems);
  return { ...numbers, endpoint: target.endpoint };
}
