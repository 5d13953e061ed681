/** @module What is broken on purpose during a run, as data and as text. */
import { ConfigError } from "#kit/errors.ts";

export type FaultPlan =
  | { readonly kind: "none" }
  /** So many busy function instances are killed every second, in the middle of what they do. */
  | { readonly kind: "kill-clients"; readonly perSecond: number }
  /** Functions throw before a state operation, or after their last one, with this probability each. */
  | { readonly kind: "fail-operations"; readonly probability: number }
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
  "none, kill-clients:2/s, fail-operations:1%, kill-replica@6s, pause-manager:10s@6s or kill-2-replicas@6s+…";

/** The inverse of `parseFaultPlan`. */
export function describeFaultPlan(plan: FaultPlan): string {
  switch (plan.kind) {
    case "none":
      return "none";
    case "kill-clients":
      return `kill-clients:${plan.perSecond}/s`;
    case "fail-operations":
      return `fail-operations:${Math.round(plan.probability * 1e6) / 1e4}%`;
    case "processes":
      return plan.actions.map(describeAction).join("+");
  }
}

/** @throws ConfigError */
export function parseFaultPlan(text: string): FaultPlan {
  if (text === "none") return { kind: "none" };
  const perSecond = Number(/^kill-clients:(\d+(?:\.\d+)?)\/s$/.exec(text)?.[1]);
  if (perSecond > 0) return { kind: "kill-clients", perSecond };
  const percent = /^fail-operations:(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100)
    return { kind: "fail-operations", probability: Number(percent) / 100 };
  const actions = text.split("+").map(parseAction);
  if (actions.every((action) => action !== undefined)) return { kind: "processes", actions };
  throw new ConfigError([{ where: "faults", what: `"${text}" is no fault plan`, hint }]);
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
