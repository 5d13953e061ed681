/** @module Makes one read of a serializable history stale, where it is known what that means. */
import type { Prng } from "#kit/prng.ts";
import type { Draft } from "./draft.ts";
import type { Planted } from "./plant.ts";

export type StaleLevel = "rc" | "ra" | "cc" | "none";

/** Reads that are tried before giving up. */
const maxTries = 5_000;

/** Changes one read of the draft; undefined if none of those tried will do. */
export function makeStale(options: {
  readonly draft: Draft;
  readonly level: StaleLevel;
  readonly prng: Prng;
  readonly sessions: number;
}): Planted | undefined {
  const { draft, level, prng, sessions } = options;
  const past = new Past(draft, sessions);
  for (let tries = 0; tries < maxTries; tries += 1) {
    const transaction = 1 + prng.nextInt(draft.count);
    const [begin, end] = draft.range(transaction);
    if (begin === end) continue;
    const at = begin + prng.nextInt(end - begin);
    const key = draft.code.at(at) >> 1;
    if (!isOnlyAccessBefore(draft, at, [begin, end])) continue;
    const older = past.versionsBefore(key, past.writerOf(draft.value.at(at)));
    if (older.length === 0) continue;
    const from = older[prng.nextInt(older.length)] as number;
    if (past.weakestLevel({ transaction, at, key, from }) !== level) continue;
    const value = from === 0 ? 0 : past.valueOf(from, key);
    draft.value.set(at, value);
    return {
      level: level === "none" ? undefined : level,
      transactions: [transaction],
      read: { transaction, key, value },
    };
  }
  return undefined;
}

/** A read whose key is neither read elsewhere in the transaction nor written before. */
function isOnlyAccessBefore(
  draft: Draft,
  at: number,
  [begin, end]: readonly [number, number],
): boolean {
  const code = draft.code.at(at);
  if ((code & 1) === 1) return false;
  for (let other = begin; other < end; other += 1) {
    if (other !== at && draft.code.at(other) === code) return false;
    if (other < at && draft.code.at(other) === code + 1) return false;
  }
  return true;
}

/** What each transaction of a serializable draft read, wrote and knew. */
class Past {
  readonly #draft: Draft;
  readonly #sessions: number;
  /** Writer of each value. */
  readonly #writer: Int32Array;
  /** Of each key its writers in commit order, and what they left there. */
  readonly #versions = new Map<number, Map<number, number>>();
  /** Of each transaction, the last of each session that happened before it or is it. */
  readonly #clock: Int32Array;

  constructor(draft: Draft, sessions: number) {
    this.#draft = draft;
    this.#sessions = sessions;
    this.#writer = new Int32Array(draft.code.length + 1);
    this.#clock = new Int32Array((draft.count + 1) * sessions);
    for (let transaction = 1; transaction <= draft.count; transaction += 1) {
      const [begin, end] = draft.range(transaction);
      for (let at = begin; at < end; at += 1) {
        if ((draft.code.at(at) & 1) === 0) continue;
        const key = draft.code.at(at) >> 1;
        this.#writer[draft.value.at(at)] = transaction;
        const versions = this.#versions.get(key) ?? new Map<number, number>();
        versions.set(transaction, draft.value.at(at));
        this.#versions.set(key, versions);
      }
      this.#clock.set(this.#clockOf(transaction, -1), transaction * sessions);
      this.#clock[transaction * sessions + draft.session.at(transaction - 1)] = transaction;
    }
  }

  /** 0 for the initial value. */
  writerOf(value: number): number {
    return value === 0 ? 0 : (this.#writer[value] as number);
  }

  valueOf(writer: number, key: number): number {
    return this.#versions.get(key)?.get(writer) ?? 0;
  }

  /** Writers of a key before `writer`, with the initial transaction. */
  versionsBefore(key: number, writer: number): number[] {
    if (writer === 0) return [];
    return [0, ...[...(this.#versions.get(key)?.keys() ?? [])].filter((other) => other < writer)];
  }

  /**
   * The weakest level that forbids the operation `at` of `transaction` to read `key` from `from`;
   * undefined if that is not plain.
   */
  weakestLevel(read: {
    readonly transaction: number;
    readonly at: number;
    readonly key: number;
    readonly from: number;
  }): StaleLevel | undefined {
    const { transaction, at, key, from } = read;
    const newer = [...(this.#versions.get(key)?.keys() ?? [])].filter(
      (other) => other > from && other < transaction,
    );
    const session = this.#sessionOf(transaction);
    const earlier = this.#sources(transaction, at).filter(({ operation }) => operation < at);
    const all = this.#sources(transaction, at);
    const clock = this.#clockOf(transaction, at);
    const known: readonly [StaleLevel, (other: number) => boolean][] = [
      ["rc", (other) => earlier.some(({ source }) => source === other)],
      [
        "ra",
        (other) => this.#sessionOf(other) === session || all.some(({ source }) => source === other),
      ],
      ["cc", (other) => (clock[this.#sessionOf(other)] as number) >= other],
    ];
    for (const [level, knows] of known) {
      const seen = newer.filter((other) => knows(other));
      if (seen.length === 0) continue;
      return seen.some((other) => from === 0 || this.#happenedBefore(from, other))
        ? level
        : undefined;
    }
    return "none";
  }

  #sessionOf(transaction: number): number {
    return this.#draft.session.at(transaction - 1);
  }

  #happenedBefore(first: number, second: number): boolean {
    const entry = this.#clock[second * this.#sessions + this.#sessionOf(first)] as number;
    return first !== second && entry >= first;
  }

  /** Whom a transaction reads from, but for the operation `without`. */
  #sources(transaction: number, without: number): { operation: number; source: number }[] {
    const [begin, end] = this.#draft.range(transaction);
    const sources: { operation: number; source: number }[] = [];
    for (let operation = begin; operation < end; operation += 1) {
      if (operation === without || (this.#draft.code.at(operation) & 1) === 1) continue;
      const source = this.writerOf(this.#draft.value.at(operation));
      if (source !== 0 && source !== transaction) sources.push({ operation, source });
    }
    return sources;
  }

  /** What a transaction knew of each session before itself, but for the operation `without`. */
  #clockOf(transaction: number, without: number): Int32Array {
    const clock = new Int32Array(this.#sessions);
    const join = (other: number): void => {
      for (let session = 0; session < this.#sessions; session += 1) {
        const entry = this.#clock[other * this.#sessions + session] as number;
        if (entry > (clock[session] as number)) clock[session] = entry;
      }
    };
    for (let before = transaction - 1; before > 0; before -= 1)
      if (this.#sessionOf(before) === this.#sessionOf(transaction)) {
        join(before);
        break;
      }
    for (const { source } of this.#sources(transaction, without)) join(source);
    return clock;
  }
}
