/**
 * @module Puts one anomaly into a serializable history, and knows exactly which levels forbid it.
 *
 * Either a few transactions over keys of their own at the ends of sessions, where nothing else can
 * follow from them; or one real read made stale. A stale read makes t3 read x from t1 although t2
 * wrote x in between. All other reads agree with the order of commits, so:
 *
 *   - if t3 does not know, in a level's sense, of any such t2, that order still explains the history;
 *   - if it does know of one that t1 happened before, no order does.
 *
 * Other places are not used, so the weakest level that forbids the read is known without a checker.
 */
import type { Prng } from "#kit/prng.ts";
import type { Draft } from "./draft.ts";
import { makeStale } from "./stale.ts";
import type { Anomaly, Level } from "./witness.ts";

export type Plant =
  | { readonly kind: Exclude<Anomaly, "no-commit-order"> }
  /** `level`: the weakest one that must reject it; "none" is stale but allowed up to CC. */
  | { readonly kind: "stale-read"; readonly level: "rc" | "ra" | "cc" | "none" };

export interface Planted {
  /** The weakest level that forbids it; undefined if none of RC, RA, CC does. */
  readonly level: Level | undefined;
  /** Names of the transactions it consists of; of a stale read, its reader. */
  readonly transactions: readonly number[];
  /** The read that gives it away. */
  readonly read: { readonly transaction: number; readonly key: number; readonly value: number };
}

interface Gadget {
  readonly level: Level;
  /** `session: operations`, `!` aborted; the last read of the last line gives it away. */
  readonly transactions: readonly string[];
}

const gadgets: Readonly<Record<Exclude<Anomaly, "no-commit-order">, Gadget>> = {
  "thin-air-read": { level: "rc", transactions: ["0: rx9"] },
  "aborted-read": { level: "rc", transactions: ["0!: wx1", "1: rx1"] },
  "intermediate-read": { level: "rc", transactions: ["0: wx1 wx2", "1: rx1"] },
  "future-read": { level: "rc", transactions: ["0: rx1 wx1"] },
  "not-own-write": { level: "rc", transactions: ["0: wx1 rx0"] },
  "circular-information-flow": { level: "rc", transactions: ["0: rx2 wy1", "1: ry1 wx2"] },
  "non-monotonic-read": { level: "rc", transactions: ["0: wx1", "0: wx2", "1: rx2 rx1"] },
  "non-repeatable-read": { level: "ra", transactions: ["0: wx1", "1: rx0 rx1"] },
  "fractured-read": { level: "ra", transactions: ["0: wx1 wy2", "1: rx0 ry2"] },
  "stale-session-read": { level: "ra", transactions: ["0: wx1", "0: rx0"] },
  "causality-violation": { level: "cc", transactions: ["0: wx1", "1: rx1 wy2", "2: ry2 rx0"] },
  "long-fork": { level: "pc", transactions: ["0: wx1", "1: wy2", "2: rx1 ry0", "3: ry2 rx0"] },
  "lost-update": { level: "si", transactions: ["0: rx0 wx1", "1: rx0 wx2"] },
  "write-skew": { level: "ser", transactions: ["0: rx0 ry0 wx1", "1: rx0 ry0 wy2"] },
};

/** Anomalies that can be planted, besides stale reads. */
export const plantable = Object.keys(gadgets) as (keyof typeof gadgets)[];

/** Cost: O(gadget), or for a stale read O(transactions × sessions + operations). */
export function plant(options: {
  readonly draft: Draft;
  readonly kind: Plant;
  readonly prng: Prng;
  readonly sessions: number;
  readonly keys: number;
}): Planted | undefined {
  const { draft, kind, prng, sessions, keys } = options;
  if (kind.kind === "stale-read") return makeStale({ draft, level: kind.level, prng, sessions });
  const gadget = gadgets[kind.kind];
  // Keys, values and the order of sessions are its own; sessions that exist go on with it.
  const firstValue = draft.code.length + 1;
  const firstSession = prng.nextInt(sessions);
  const transactions: number[] = [];
  let read = { transaction: 0, key: 0, value: 0 };
  for (const line of gadget.transactions) {
    const [, offset = "0", mark = "", words = ""] = /^(\d)(!?): (.*)$/.exec(line) ?? [];
    const among = Number(offset);
    const session = among < sessions ? (firstSession + among) % sessions : among;
    const transaction = draft.begin(session, mark === "!" ? "aborted" : "committed");
    transactions.push(transaction);
    for (const word of words.split(" ")) {
      const key = keys + "xy".indexOf(word[1] ?? "x");
      const number = Number(word.slice(2));
      const value = number === 0 ? 0 : firstValue + number;
      if (word.startsWith("w")) draft.write(key, value);
      else {
        draft.read(key, value);
        read = { transaction, key, value };
      }
    }
  }
  return { level: gadget.level, transactions, read };
}
