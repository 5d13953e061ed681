/** @module What is broken on purpose during a run, as data and as text. */
import { ConfigError } from "#kit/errors.ts";

export type FaultPlan =
  | { readonly kind: "none" }
  /** So many busy function instances are killed every second, in the middle of what they do. */
  | { readonly kind: "kill-clients"; readonly perSecond: number };

/** `none` or `kill-clients:2/s`; the inverse of `parseFaultPlan`. */
export function describeFaultPlan(plan: FaultPlan): string {
  return plan.kind === "none" ? "none" : `kill-clients:${plan.perSecond}/s`;
}

/** @throws ConfigError */
export function parseFaultPlan(text: string): FaultPlan {
  if (text === "none") return { kind: "none" };
  const perSecond = Number(/^kill-clients:(\d+(?:\.\d+)?)\/s$/.exec(text)?.[1]);
  if (perSecond > 0) return { kind: "kill-clients", perSecond };
  const hint = "none or kill-clients:2/s";
  throw new ConfigError([{ where: "faults", what: `"${text}" is no fault plan`, hint }]);
}
