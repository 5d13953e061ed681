/** @module What a gate decides, and about what; the same for exact and time gates. */

/** `inconclusive`: the measurement cannot tell; nobody is alarmed and nobody is reassured. */
export type GateOutcome = "pass" | "fail" | "inconclusive";

export interface GateCheck {
  readonly name: string;
  readonly outcome: GateOutcome;
  /** One sentence with the figures it rests on. */
  readonly explanation: string;
}

export interface GateResult {
  readonly gate: "exact" | "time";
  readonly outcome: GateOutcome;
  /** How often it was run before it was believed. */
  readonly attempts: number;
  readonly checks: readonly GateCheck[];
  /** Conditions and what did not run, as sentences. */
  readonly notes: readonly string[];
}

/** The worst of them: one failure fails, one doubt doubts. Nothing checked is a doubt. */
export function worstOutcome(outcomes: readonly GateOutcome[]): GateOutcome {
  if (outcomes.includes("fail")) return "fail";
  return outcomes.length === 0 || outcomes.includes("inconclusive") ? "inconclusive" : "pass";
}
