/** @module Options of the systems on PostgreSQL, checked. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { DatabaseSettings } from "./database.ts";

const defaults = { maxConnections: 64, timeoutMs: 10_000, idleInTransactionMs: 5_000 };

/**
 * Reads `{ storage: StorageSpec, maxConnections?, timeoutMs?, idleInTransactionMs? }`.
 *
 * @throws ConfigError naming every problem.
 */
export function readPostgresOptions(
  system: string,
  options: Readonly<Record<string, unknown>>,
): DatabaseSettings {
  const problems: ConfigProblem[] = [];
  const storage = options["storage"] as StorageSpec | undefined;
  const target = storage?.target;
  const hint = "postgres://USER@HOST:PORT/DATABASE";
  if (target?.engine !== "postgres") {
    const what = `runs on PostgreSQL, not on ${target?.engine ?? "nothing"}`;
    problems.push({ where: system, what, hint });
  } else if (!/^postgres(ql)?:\/\//.test(target.url)) {
    problems.push({ where: system, what: "its address is no URL", hint });
  }
  if (storage?.emulation !== undefined)
    problems.push({ where: system, what: "has no emulated network" });
  const number = (name: keyof typeof defaults): number => {
    const value = options[name] ?? defaults[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    problems.push({ where: `${system}.${name}`, what: "must be a whole number above 0" });
    return defaults[name];
  };
  const settings = {
    url: target?.engine === "postgres" ? target.url : "",
    namespace: `${system}/`,
    maxConnections: number("maxConnections"),
    timeoutMs: number("timeoutMs"),
    idleInTransactionMs: number("idleInTransactionMs"),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}
