/**
 * @module Lost updates and stale reads under the version order that the record proves (`counts.ts`).
 *
 *   lost update   a transaction read x from t1 and then overwrote x, although a version between the two
 *                 was committed by another: that one's update is gone unseen (Adya P4)
 *   stale read    when the read of x began, newer versions than the one it got were surely there; their
 *                 number is its depth
 *
 * Neither is forbidden by read atomicity, so neither counts as an anomaly of a run. A version is surely
 * there once its write was acknowledged; for a system that buffers writes, once its session went on
 * to its next transaction, which it does after the commit's answer; for one that shows them when a function
 * ends, from then on (`visibleUs`). All counts are lower bounds.
 */
import type { RecordedTransaction, RecordedWrite } from "#harness/record/history.ts";

export interface Staleness {
  /** Committed transactions that overwrote what they had not seen. */
  readonly lostUpdates: number;
  /** Committed transactions with a stale read. */
  readonly staleReaders: number;
  /** External reads of committed transactions whose version has a place in the order. */
  readonly reads: number;
  readonly staleReads: number;
  readonly depthMax: number;
  /** Over stale reads; 0 if there are none. */
  readonly depthMean: number;
  /** The first of each. */
  readonly witnesses: readonly { readonly kind: string; readonly explanation: string }[];
}

interface Version {
  readonly writer: string;
  readonly commitOrder: string | undefined;
  readonly startUs: number;
  /** When it surely had its place in the order; infinite if nothing tells. */
  readonly endUs: number;
  /** When it was surely there to be read. */
  readonly thereUs: number;
}

/** Versions that are not there yet are passed over this often before the scan ends. */
const maxPassedOver = 64;

/** Cost: O(operations × log + Σ depths). */
export function countStaleness(history: readonly RecordedTransaction[]): Staleness {
  const versions = new VersionOrder(history);
  let [lostUpdates, staleReaders, reads, staleReads, depthMax, depthSum] = [0, 0, 0, 0, 0, 0];
  const witnesses = new Map<string, string>();
  for (const transaction of history) {
    if (transaction.outcome !== "committed") continue;
    let [isStale, hasLost] = [false, false];
    for (const { key, from, startUs, ownWrite } of externalReads(transaction)) {
      const self = transaction.transactionId;
      const newer = versions.newerThan(key, from);
      if (newer === undefined) continue;
      reads += 1;
      const depth = newer.countBefore(startUs, self);
      const what = from === null ? "no value" : `the version of ${from}`;
      if (depth > 0) {
        isStale = true;
        staleReads += 1;
        depthSum += depth;
        if (depth > depthMax) {
          depthMax = depth;
          witnesses.set("staleRead", `${self} read ${key} as ${what}, ${depth} versions too old`);
        }
      }
      const between = ownWrite === undefined ? undefined : newer.firstBefore(ownWrite, transaction);
      if (between === undefined) continue;
      hasLost = true;
      if (!witnesses.has("lostUpdate"))
        witnesses.set(
          "lostUpdate",
          `${self} read ${key} as ${what} and overwrote the version of ${between} unseen`,
        );
    }
    if (isStale) staleReaders += 1;
    if (hasLost) lostUpdates += 1;
  }
  return {
    lostUpdates,
    staleReaders,
    reads,
    staleReads,
    depthMax,
    depthMean: staleReads === 0 ? 0 : depthSum / staleReads,
    witnesses: [...witnesses].map(([kind, explanation]) => ({ kind, explanation })),
  };
}

interface ExternalRead {
  readonly key: string;
  readonly from: string | null;
  readonly startUs: number;
  /** The transaction's first write of the key after the read. */
  readonly ownWrite: RecordedWrite | undefined;
}

/** First reads of keys that were not written before. */
function externalReads({ transactionId, operations }: RecordedTransaction): ExternalRead[] {
  const touched = new Set<string>();
  const reads: ExternalRead[] = [];
  for (const [index, operation] of operations.entries()) {
    const { key, kind } = operation;
    if (touched.has(key)) continue;
    touched.add(key);
    if (kind === "write" || operation.from === transactionId) continue;
    const ownWrite = operations.find(
      (later, at): later is RecordedWrite =>
        at > index && later.kind === "write" && later.key === key,
    );
    reads.push({ key, from: operation.from, startUs: operation.startUs, ownWrite });
  }
  return reads;
}

/** Of each key the versions of committed transactions in their order. */
class VersionOrder {
  readonly #byKey = new Map<string, Version[]>();
  /** Of each key: where the version of a writer is. */
  readonly #indexOf = new Map<string, Map<string, number>>();
  readonly #isOrdered: boolean;

  constructor(history: readonly RecordedTransaction[]) {
    this.#isOrdered = history.some(({ commitOrder }) => commitOrder !== undefined);
    const nextBegins = this.#isOrdered ? beginningsOfNext(history) : undefined;
    for (const { transactionId, outcome, commitOrder, operations } of history) {
      if (outcome !== "committed" || (this.#isOrdered && commitOrder === undefined)) continue;
      const last = new Map<string, RecordedWrite>();
      for (const operation of operations)
        if (operation.kind === "write") last.set(operation.key, operation);
      for (const [key, { startUs, endUs: acknowledgedUs, visibleUs }] of last) {
        const known = nextBegins === undefined ? acknowledgedUs : nextBegins.get(transactionId);
        const endUs = known ?? Infinity;
        const thereUs = nextBegins === undefined ? (visibleUs ?? endUs) : endUs;
        const version = { writer: transactionId, commitOrder, startUs, endUs, thereUs };
        const all = this.#byKey.get(key);
        if (all === undefined) this.#byKey.set(key, [version]);
        else all.push(version);
      }
    }
    for (const [key, all] of this.#byKey) {
      all.sort((a, b) => this.#compare(a, b));
      this.#indexOf.set(key, new Map(all.map(({ writer }, index) => [writer, index])));
    }
  }

  #compare(a: Version, b: Version): number {
    if (!this.#isOrdered) return a.startUs - b.startUs;
    return (a.commitOrder ?? "") < (b.commitOrder ?? "") ? -1 : 1;
  }

  /** What surely is newer than the version of `from`; undefined if that one has no place. */
  newerThan(key: string, from: string | null): Newer | undefined {
    const all = this.#byKey.get(key) ?? [];
    if (from === null) return new Newer(all, 0, this.#isOrdered);
    const index = this.#indexOf.get(key)?.get(from);
    const version = index === undefined ? undefined : all[index];
    if (index === undefined || version === undefined) return undefined;
    let first = index + 1;
    if (!this.#isOrdered)
      while (first < all.length && (all[first]?.startUs ?? 0) <= version.endUs) first += 1;
    return new Newer(all, first, this.#isOrdered);
  }
}

class Newer {
  readonly #all: readonly Version[];
  readonly #first: number;
  readonly #isOrdered: boolean;

  constructor(all: readonly Version[], first: number, isOrdered: boolean) {
    this.#all = all;
    this.#first = first;
    this.#isOrdered = isOrdered;
  }

  /** Versions of others that were surely there at an instant. */
  countBefore(instantUs: number, self: string): number {
    let [count, passedOver] = [0, 0];
    for (let at = this.#first; at < this.#all.length && passedOver < maxPassedOver; at += 1) {
      const version = this.#all[at];
      if (version === undefined || version.writer === self) continue;
      if (version.thereUs < instantUs) count += 1;
      else passedOver += 1;
    }
    return count;
  }

  /** Who wrote a version that surely is older than the transaction's own, if there is one. */
  firstBefore(
    own: RecordedWrite,
    { transactionId, commitOrder }: RecordedTransaction,
  ): string | undefined {
    for (let at = this.#first; at < this.#all.length; at += 1) {
      const version = this.#all[at];
      if (version === undefined || version.writer === transactionId) continue;
      if (!this.#isOrdered) {
        if (version.startUs > own.startUs) return undefined;
        if (version.endUs < own.startUs) return version.writer;
        continue;
      }
      const isOlder = commitOrder !== undefined && (version.commitOrder ?? "") < commitOrder;
      return isOlder ? version.writer : undefined;
    }
    return undefined;
  }
}

/** Of each transaction, when the next one of its session began. */
function beginningsOfNext(history: readonly RecordedTransaction[]): Map<string, number> {
  const sessions = new Map<number, { id: string; startUs: number }[]>();
  for (const { transactionId, session, operations } of history) {
    const startUs = operations[0]?.startUs;
    if (startUs === undefined) continue;
    const all = sessions.get(session) ?? [];
    all.push({ id: transactionId, startUs });
    sessions.set(session, all);
  }
  const next = new Map<string, number>();
  for (const all of sessions.values()) {
    all.sort((a, b) => a.startUs - b.startUs);
    for (const [index, { id }] of all.entries()) {
      const following = all[index + 1];
      if (following !== undefined) next.set(id, following.startUs);
    }
  }
  return next;
}
