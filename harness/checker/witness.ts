/**
 * @module Levels, verdicts, and the structured reason for a rejection.
 *
 * A witness is data: the transactions that together admit no commit order, of each the operations
 * that matter, the edges that close the circle, and the same as text.
 */
import type { TransactionStatus } from "./history.ts";

/** Weakest first: a history that violates one violates all after it. */
export const levels = ["rc", "ra", "cc", "pc", "si", "ser"] as const;
export type Level = (typeof levels)[number];

/** What is wrong, by names of Adya, and of Biswas and Enea where Adya has none. */
export type Anomaly =
  | "thin-air-read" // a value that nobody wrote
  | "aborted-read" // G1a
  | "intermediate-read" // G1b
  | "future-read" // a transaction reads its own later write
  | "not-own-write" // after its own write, it reads something else (Adya: internal consistency)
  | "circular-information-flow" // G1c: session order and reads-from alone form a circle
  | "non-monotonic-read" // RC: after seeing t2, it reads what t2 overwrote (not PL-2L)
  | "non-repeatable-read" // RA: one key from two writers
  | "fractured-read" // RA: part of what t2 wrote, and part of what t2 overwrote
  | "stale-session-read" // RA: it misses its own session's earlier write
  | "causality-violation" // CC: it misses a write it depends on
  | "long-fork" // PC: two readers see two writers in opposite orders
  | "lost-update" // SI: two writers of a key on the same version of it
  | "write-skew" // SER: G2-item over disjoint writes
  | "no-commit-order"; // PC, SI, SER: none of the named patterns

export interface WitnessOperation {
  /** Zero-based position in its transaction. */
  readonly index: number;
  readonly kind: "read" | "write";
  readonly key: string;
  /** "initial" for the value every key has at first. */
  readonly value: string;
}

export interface WitnessTransaction {
  /** Id within the history; 0 is the initial transaction. */
  readonly id: number;
  readonly name: string;
  readonly session: string;
  readonly status: TransactionStatus;
  /** Only those that matter, in program order; none for the initial transaction. */
  readonly operations: readonly WitnessOperation[];
}

/**
 * Why `from` comes before `to` in every commit order.
 *
 *   so      session order
 *   wr      `to` reads `key` from `from`
 *   init    the initial transaction comes first
 *   forced  `reader` reads `key` from `to` although it knows of `from`, which also writes it
 *   rw      `from` reads `key` and `to` writes the version after (only where versions have an order)
 */
export interface WitnessEdge {
  readonly from: number;
  readonly to: number;
  readonly rule: "so" | "wr" | "init" | "forced" | "rw";
  readonly key?: string;
  /** What was read, for `wr` and `forced`. */
  readonly value?: string;
  /** Only for `forced`. */
  readonly reader?: number;
}

export interface Witness {
  readonly anomaly: Anomaly;
  /** For people, with the literature's name, for instance "aborted read (Adya G1a)". */
  readonly title: string;
  /** Fewest first found and then minimal: without any one of them the rest is no violation. */
  readonly transactions: readonly WitnessTransaction[];
  /** A closed circle: each edge ends where the next begins. Empty if one read alone is the reason. */
  readonly cycle: readonly WitnessEdge[];
  /** How each forced edge's reader knows of `from`: so and wr steps. */
  readonly support: readonly WitnessEdge[];
  /** Several lines: transactions with their operations, then each edge with its reason. */
  readonly explanation: string;
}

export type Verdict =
  | { readonly kind: "pass" }
  | { readonly kind: "violation"; readonly witness: Witness }
  | { readonly kind: "undecided"; readonly reason: string };

/** Of each level that was asked for. */
export type Verdicts = Readonly<Partial<Record<Level, Verdict>>>;
