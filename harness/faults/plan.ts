/** @module What is broken on purpose during a run, as data and as text. */
import { ConfigError } from "#kit/errors.ts";
import { mishapKinds, type MishapKind, type MishapRates } from "#workloads/functions/mishaps.ts";

export type FaultPlan =
  | { readonly kind: "none" }
  /** So many busy function instances are killed every second, in the middle of what they do. */
  | { readonly kind: "kill-clients"; readonly perSecond: number }
  /** Functions throw before a state operation, or after their last one, with this probability each. */
  | { readonly kind: "fail-operations"; readonly probability: number }
  /** Requests meet with what callers have to expect, each kind with its own probability. */
  | { readonly kind: "mishaps"; readonly rates: MishapRates }
  /** Processes of the system itself, at times after the start of the first block. */
  | { readonly kind: "processes"; readonly actions: readonly ProcessFault[] };

export interface ProcessFault {
  readonly atSeconds: number;
  /** `kill`: SIGKILL. `pause`: SIGSTOP, and SIGCONT after `forSeconds`. */
  readonly what: "kill" | "pause";
  readonly role: "replica" | "manager";
  readonly count: number;
  /** Of a pause. */
  readonly forSeconds?: number;
}

const hint =
  "none, kill-clients:2/s, fail-operations:1%, mishaps:1%, mishaps:slow=2%+duplicate=1%, kill-replica@6s, " +
  "pause-manager:10s@6s or kill-2-replicas@6s+…";

/** The inverse of `parseFaultPlan`. */
export function describeFaultPlan(plan: FaultPlan): string {
  switch (plan.kind) {
    case "none":
      return "none";
    case "kill-clients":
      return `kill-clients:${plan.perSecond}/s`;
    case "fail-operations":
      return `fail-operations:${percentText(plan.probability)}`;
    case "mishaps":
      return `mishaps:${describeRates(plan.rates)}`;
    case "processes":
      return plan.actions.map(describeAction).join("+");
  }
}

/** @throws ConfigError */
export function parseFaultPlan(text: string): FaultPlan {
  if (text === "none") return { kind: "none" };
  const perSecond = Number(/^kill-clients:(\d+(?:\.\d+)?)\/s$/.exec(text)?.[1]);
  if (perSecond > 0) return { kind: "kill-clients", perSecond };
  const [, kind, detail = ""] = /^(fail-operations|mishaps):(.+)$/.exec(text) ?? [];
  if (kind === "fail-operations") {
    const probability = parsePercent(detail);
    if (probability !== undefined) return { kind, probability };
  }
  if (kind === "mishaps") {
    const rates = parseRates(detail);
    if (rates !== undefined) return { kind, rates };
  }
  const actions = text.split("+").map(parseAction);
  if (actions.every((action) => action !== undefined)) return { kind: "processes", actions };
  throw new ConfigError([{ where: "faults", what: `"${text}" is no fault plan`, hint }]);
}

/** Every kind of mishap with the same probability. */
export function allMishaps(probability: number): MishapRates {
  return ratesOf(() => probability);
}

function ratesOf(rate: (kind: MishapKind) => number): MishapRates {
  return Object.fromEntries(mishapKinds.map((kind) => [kind, rate(kind)])) as MishapRates;
}

/** One percentage for all kinds, or those that happen with their own. */
function describeRates(rates: MishapRates): string {
  const [first] = mishapKinds;
  if (mishapKinds.every((kind) => rates[kind] === rates[first])) return percentText(rates[first]);
  return mishapKinds
    .filter((kind) => rates[kind] > 0)
    .map((kind) => `${kind}=${percentText(rates[kind])}`)
    .join("+");
}

function parseRates(text: string): MishapRates | undefined {
  const same = parsePercent(text);
  if (same !== undefined) return allMishaps(same);
  const named = new Map<string, number>();
  for (const part of text.split("+")) {
    const [, kind, percent = ""] = /^([a-z-]+)=(.+)$/.exec(part) ?? [];
    const probability = parsePercent(percent);
    const isKnown = mishapKinds.some((known) => known === kind);
    if (kind === undefined || probability === undefined || !isKnown || named.has(kind))
      return undefined;
    named.set(kind, probability);
  }
  return ratesOf((kind) => named.get(kind) ?? 0);
}

function percentText(probability: number): string {
  return `${Math.round(probability * 1e6) / 1e4}%`;
}

function parsePercent(text: string): number | undefined {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  return percent !== undefined && Number(percent) <= 100 ? Number(percent) / 100 : undefined;
}

function describeAction({ what, role, count, atSeconds, forSeconds }: ProcessFault): string {
  const who = count === 1 ? role : `${count}-${role}s`;
  return `${what}-${who}${forSeconds === undefined ? "" : `:${forSeconds}s`}@${atSeconds}s`;
}

const actionPattern =
  /^(kill|pause)-(?:(\d+)-)?(replica|manager)s?(?::(\d+(?:\.\d+)?)s)?@(\d+(?:\.\d+)?)s$/;

function parseAction(text: string): ProcessFault | undefined {
  const [, what, count = "1", role, forSeconds, at] = actionPattern.exec(text) ?? [];
  if (what === undefined || Number(count) < 1) return undefined;
  // A pause without an end would be a kill, and a kill has no end.
  if ((what === "pause") !== (forSeconds !== undefined)) return undefined;
  return {
    what: what === "kill" ? "kill" : "pause",
    role: role === "replica" ? "replica" : "manager",
    count: Number(count),
    atSeconds: Number(at),
    ...(forSeconds !== undefined && { forSeconds: Number(forSeconds) }),
  };
}
