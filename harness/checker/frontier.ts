/**
 * @module Prefix consistency, snapshot isolation and serializability, by search with memory.
 *
 * These are hard in general, so the search walks through states "how far is each session", remembers
 * dead ends, and gives up with "undecided" at a bound, never with a guess. For k sessions there are
 * O(n^k) states: it is for few sessions.
 *
 *   begin t   allowed when every version t reads is the current one
 *             SI: and no transaction that has begun and not committed writes a key that t writes
 *   commit t  allowed when nobody is still to begin who reads a version that t replaces
 *   SER       begin and commit are one step
 *
 * A full state is reachable iff the history satisfies the level. Steps that can do no harm are taken
 * without alternatives: transactions that write nothing, and under PC every begin.
 */
import { StateSet } from "./state-set.ts";
import type { Transactions } from "./transactions.ts";

export type FrontierLevel = "pc" | "si" | "ser";

export type FrontierOutcome = "satisfied" | "violated" | "undecided";

/** Cost: at most `maxStates` states, each with a step per session. */
export function searchOrder(
  transactions: Transactions,
  level: FrontierLevel,
  maxStates: number,
): FrontierOutcome {
  const walk = new Walk(transactions, level);
  const seen = new StateSet(transactions.sessionCount);
  seen.add(walk.state);
  /** Of each step taken: the session that moved, and the next one to try in the state before it. */
  const moved: number[] = [];
  const nextToTry: number[] = [];
  let next = 0;
  /** How many sessions the state at hand has tried already. */
  let tried = 0;
  const triedBefore: number[] = [];
  while (!walk.complete) {
    const forced = tried === 0 ? walk.harmlessStep() : -1;
    const only = forced >= 0;
    let session = -1;
    while (tried < walk.sessionCount && session < 0) {
      const candidate = only ? forced : (next + tried) % walk.sessionCount;
      tried = only ? walk.sessionCount : tried + 1;
      if (!walk.step(candidate)) continue;
      if (seen.add(walk.state)) session = candidate;
      else walk.back(candidate);
    }
    if (session >= 0) {
      if (seen.size > maxStates) return "undecided";
      moved.push(session);
      nextToTry.push(next);
      triedBefore.push(tried);
      next = (session + 1) % walk.sessionCount;
      tried = 0;
      continue;
    }
    const last = moved.pop();
    if (last === undefined) return "violated";
    walk.back(last);
    next = nextToTry.pop() ?? 0;
    tried = triedBefore.pop() ?? 0;
  }
  return "satisfied";
}

/** The state, the steps out of it and back. */
class Walk {
  /** Twice the transactions of each session that committed, plus 1 if the next one has begun. */
  readonly state: Int32Array;
  readonly sessionCount: number;
  readonly #transactions: Transactions;
  readonly #level: FrontierLevel;
  readonly #sessionStart: Int32Array;
  /** Versions: index of the write, or number of writes + key for initial ones. */
  readonly #versionRead: Int32Array;
  readonly #current: Int32Array;
  /** Of each version: reads of it by transactions that have not begun. */
  readonly #waiting: Int32Array;
  /** Of each key: 1 while one that writes it has begun and not committed (SI). */
  readonly #held: Uint8Array;
  /** Of each write: the version it replaced. */
  readonly #replaced: Int32Array;
  #left: number;

  constructor(transactions: Transactions, level: FrontierLevel) {
    const { count, keyCount, sessionCount, sessionOf, writeKey } = transactions;
    this.#transactions = transactions;
    this.#level = level;
    this.sessionCount = sessionCount;
    this.state = new Int32Array(sessionCount);
    this.#sessionStart = new Int32Array(sessionCount + 1).fill(count);
    for (let transaction = count - 1; transaction > 0; transaction -= 1)
      this.#sessionStart[sessionOf[transaction] as number] = transaction;
    this.#versionRead = versionsRead(transactions);
    this.#current = Int32Array.from({ length: keyCount }, (_unused, key) => writeKey.length + key);
    this.#waiting = new Int32Array(writeKey.length + keyCount);
    for (const version of this.#versionRead)
      this.#waiting[version] = (this.#waiting[version] as number) + 1;
    this.#held = new Uint8Array(keyCount);
    this.#replaced = new Int32Array(writeKey.length);
    this.#left = count - 1;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  /** A session whose next step cannot spoil anything, or -1. */
  harmlessStep(): number {
    for (let session = 0; session < this.sessionCount; session += 1) {
      const transaction = this.#next(session);
      if (transaction < 0 || this.#hasBegun(session)) continue;
      if (this.#level !== "pc" && this.#writesAnything(transaction)) continue;
      if (this.#readsAreCurrent(transaction)) return session;
    }
    return -1;
  }

  /** Does the session's next step if it is allowed. */
  step(session: number): boolean {
    const transaction = this.#next(session);
    if (transaction < 0) return false;
    const begun = this.#hasBegun(session);
    if (!begun && !this.#begin(transaction)) return false;
    if (!begun && this.#level !== "ser" && this.#writesAnything(transaction)) {
      this.#advance(session, 1);
      return true;
    }
    if (!this.#commit(transaction)) {
      if (!begun) this.#unbegin(transaction);
      return false;
    }
    this.#left -= 1;
    this.#advance(session, begun ? 1 : 2);
    return true;
  }

  /** Takes the session's last step back; it must be the last of all steps. */
  back(session: number): void {
    if (this.#hasBegun(session)) {
      this.#advance(session, -1);
      this.#unbegin(this.#next(session));
      return;
    }
    this.#advance(session, -2);
    const transaction = this.#next(session);
    this.#left += 1;
    this.#uncommit(transaction);
    if (this.#level !== "ser" && this.#writesAnything(transaction)) this.#advance(session, 1);
    else this.#unbegin(transaction);
  }

  #next(session: number): number {
    const transaction =
      (this.#sessionStart[session] as number) + ((this.state[session] as number) >> 1);
    return this.#transactions.sessionOf[transaction] === session ? transaction : -1;
  }

  #hasBegun(session: number): boolean {
    return ((this.state[session] as number) & 1) === 1;
  }

  #advance(session: number, by: number): void {
    this.state[session] = (this.state[session] as number) + by;
  }

  #writesAnything(transaction: number): boolean {
    const { writeStart } = this.#transactions;
    return writeStart[transaction] !== writeStart[transaction + 1];
  }

  #readsAreCurrent(transaction: number): boolean {
    const { readStart, readKey } = this.#transactions;
    const end = readStart[transaction + 1] as number;
    for (let index = readStart[transaction] as number; index < end; index += 1)
      if (this.#current[readKey[index] as number] !== this.#versionRead[index]) return false;
    return true;
  }

  #begin(transaction: number): boolean {
    if (!this.#readsAreCurrent(transaction)) return false;
    const { writeStart, writeKey } = this.#transactions;
    const writeEnd = writeStart[transaction + 1] as number;
    if (this.#level === "si") {
      for (let at = writeStart[transaction] as number; at < writeEnd; at += 1)
        if (this.#held[writeKey[at] as number] === 1) return false;
      this.#hold(transaction, 1);
    }
    this.#countWaiting(transaction, -1);
    return true;
  }

  #unbegin(transaction: number): void {
    if (this.#level === "si") this.#hold(transaction, 0);
    this.#countWaiting(transaction, 1);
  }

  #commit(transaction: number): boolean {
    const { writeStart, writeKey } = this.#transactions;
    const begin = writeStart[transaction] as number;
    const end = writeStart[transaction + 1] as number;
    for (let at = begin; at < end; at += 1) {
      const version = this.#current[writeKey[at] as number] as number;
      if ((this.#waiting[version] as number) > 0) return false;
    }
    for (let at = begin; at < end; at += 1) {
      const key = writeKey[at] as number;
      this.#replaced[at] = this.#current[key] as number;
      this.#current[key] = at;
    }
    if (this.#level === "si") this.#hold(transaction, 0);
    return true;
  }

  #uncommit(transaction: number): void {
    const { writeStart, writeKey } = this.#transactions;
    const end = writeStart[transaction + 1] as number;
    for (let at = writeStart[transaction] as number; at < end; at += 1)
      this.#current[writeKey[at] as number] = this.#replaced[at] as number;
    if (this.#level === "si") this.#hold(transaction, 1);
  }

  #hold(transaction: number, held: number): void {
    const { writeStart, writeKey } = this.#transactions;
    const end = writeStart[transaction + 1] as number;
    for (let at = writeStart[transaction] as number; at < end; at += 1)
      this.#held[writeKey[at] as number] = held;
  }

  #countWaiting(transaction: number, by: number): void {
    const { readStart } = this.#transactions;
    const end = readStart[transaction + 1] as number;
    for (let index = readStart[transaction] as number; index < end; index += 1) {
      const version = this.#versionRead[index] as number;
      this.#waiting[version] = (this.#waiting[version] as number) + by;
    }
  }
}

/** Of each read: its version, that is the index of the write it saw. */
function versionsRead(transactions: Transactions): Int32Array {
  const { readKey, readSource, writeStart, writeKey } = transactions;
  const versions = new Int32Array(readKey.length);
  for (let index = 0; index < readKey.length; index += 1) {
    const key = readKey[index] as number;
    const source = readSource[index] as number;
    if (source === 0) {
      versions[index] = writeKey.length + key;
      continue;
    }
    let at = writeStart[source] as number;
    while (writeKey[at] !== key) at += 1;
    versions[index] = at;
  }
  return versions;
}
