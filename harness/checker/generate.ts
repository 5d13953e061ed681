/**
 * @module Histories by seed and size, valid at a level by construction or with one planted anomaly.
 *
 * For tests, for speed, and to try other checkers on. Equal options give equal histories.
 */
import type { Prng } from "#kit/prng.ts";
import { createPrng } from "#kit/prng.ts";
import { createZipf } from "#workloads/keys/zipf.ts";
import { Draft, type HistorySink } from "./draft.ts";
import { type Plant, plant, type Planted } from "./plant.ts";
import { openStore, type StoreKind } from "./stores.ts";

export interface GenerateOptions {
  readonly seed: number;
  readonly sessions: number;
  readonly transactionsPerSession: number;
  /** Per transaction. */
  readonly operations: number;
  readonly keys: number;
  /** Skew of the keys; 0 is uniform. */
  readonly theta: number;
  /** Share of reads; half by default. */
  readonly readRatio?: number;
  /** What the history runs on, and so the level it satisfies; serializable by default. */
  readonly store?: StoreKind;
  /** The one anomaly in it; needs a serializable store. */
  readonly plant?: Plant;
}

/**
 * Writes a history into `sink`. The result says what was planted, if anything was: undefined also if
 * the history has no place for the anomaly, which only happens to stale reads in small ones.
 */
export function generate(options: GenerateOptions, sink: HistorySink): Planted | undefined {
  const prng = createPrng(options.seed);
  const draft = simulate(options, prng);
  const planted =
    options.plant === undefined
      ? undefined
      : plant({ draft, kind: options.plant, prng: prng.fork("plant"), ...options });
  draft.emit(sink);
  return planted;
}

/** Transactions of all sessions in a random interleaving, one at a time. */
function simulate(options: GenerateOptions, prng: Prng): Draft {
  const { sessions, transactionsPerSession, keys } = options;
  const store = openStore(options.store ?? "serializable", {
    sessions,
    keys,
    prng: prng.fork("store"),
  });
  const turns = prng.fork("turns");
  const left = new Int32Array(sessions).fill(transactionsPerSession);
  const alive = Array.from({ length: sessions }, (_unused, session) => session);
  const draft = new Draft();
  const plan = new TransactionPlan(options, prng);
  while (alive.length > 0) {
    const at = turns.nextInt(alive.length);
    const session = alive[at] as number;
    left[session] = (left[session] as number) - 1;
    if (left[session] === 0) alive.splice(at, 1);
    draft.begin(session);
    plan.run(session, store, draft);
  }
  return draft;
}

class TransactionPlan {
  readonly #operations: number;
  readonly #readRatio: number;
  readonly #chooseKey: () => number;
  readonly #mix: Prng;
  /** Key × 2, plus 1 for a write. */
  readonly #codes: Int32Array;
  #value = 0;

  constructor({ operations, readRatio, keys, theta }: GenerateOptions, prng: Prng) {
    this.#operations = operations;
    this.#readRatio = readRatio ?? 0.5;
    this.#mix = prng.fork("mix");
    this.#codes = new Int32Array(operations);
    const choices = prng.fork("keys");
    const zipf = theta === 0 ? undefined : createZipf(keys, theta);
    this.#chooseKey = () => zipf?.next(choices) ?? choices.nextInt(keys);
  }

  run(session: number, store: ReturnType<typeof openStore>, draft: Draft): void {
    const reads: number[] = [];
    for (let at = 0; at < this.#operations; at += 1) {
      const key = this.#chooseKey();
      const isRead = this.#mix.next() < this.#readRatio;
      this.#codes[at] = key * 2 + (isRead ? 0 : 1);
      if (isRead) reads.push(key);
    }
    store.begin(session, reads);
    const writes = new Map<number, number>();
    for (const code of this.#codes) {
      const key = code >> 1;
      if ((code & 1) === 0) {
        draft.read(key, writes.get(key) ?? store.read(key));
        continue;
      }
      this.#value += 1;
      draft.write(key, this.#value);
      writes.set(key, this.#value);
    }
    store.commit(session, writes);
  }
}
