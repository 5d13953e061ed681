/**
 * @module Simulated stores that generated histories run on: what may a transaction read now?
 *
 *   serializable  one transaction after another on one copy
 *   causal        a copy per session; sessions hear of each other now and then, causes before effects,
 *                 and the newest write wins
 *   read-atomic   per key some recent version, raised until no transaction is seen in part and no
 *                 write of the own session is missed; causal order is not kept
 *
 * In all three the order of commits explains the history at the store's level.
 */
import type { Prng } from "#kit/prng.ts";
import { Int32List } from "./int32-list.ts";

export type StoreKind = "serializable" | "causal" | "read-atomic";

export interface Store {
  /** Fixes what a transaction will see; `keys` are those it may read. */
  begin(session: number, keys: readonly number[]): void;
  /** The value of a key among those; 0 is initial. */
  read(key: number): number;
  /** `writes` are key and value, one pair a key. */
  commit(session: number, writes: ReadonlyMap<number, number>): void;
}

export interface StoreOptions {
  readonly sessions: number;
  readonly keys: number;
  readonly prng: Prng;
}

export function openStore(kind: StoreKind, options: StoreOptions): Store {
  switch (kind) {
    case "serializable":
      return new SerializableStore(options.keys);
    case "causal":
      return new CausalStore(options);
    case "read-atomic":
      return new ReadAtomicStore(options);
  }
}

class SerializableStore implements Store {
  readonly #values: Int32Array;

  constructor(keys: number) {
    this.#values = new Int32Array(keys);
  }

  begin(): void {
    // Everything is always current.
  }

  read(key: number): number {
    return this.#values[key] as number;
  }

  commit(_session: number, writes: ReadonlyMap<number, number>): void {
    for (const [key, value] of writes) this.#values[key] = value;
  }
}

interface Commit {
  /** Position in the order of all commits. */
  readonly time: number;
  readonly writes: ReadonlyMap<number, number>;
}

class CausalStore implements Store {
  readonly #options: StoreOptions;
  /** Commits by session, in order. */
  readonly #logs: Commit[][];
  /** Of each copy: how many commits of each session it has. */
  readonly #applied: Int32Array[];
  readonly #values: Int32Array[];
  readonly #times: Int32Array[];
  #session = 0;
  #time = 0;

  constructor(options: StoreOptions) {
    const { sessions, keys } = options;
    this.#options = options;
    const rows = (length: number): Int32Array[] =>
      Array.from({ length: sessions }, () => new Int32Array(length));
    this.#logs = Array.from({ length: sessions }, () => []);
    this.#applied = rows(sessions);
    this.#values = rows(keys);
    this.#times = rows(keys);
  }

  begin(session: number): void {
    this.#session = session;
    const { prng, sessions } = this.#options;
    if (prng.nextInt(3) === 0) this.#hear(session, prng.nextInt(sessions));
  }

  read(key: number): number {
    return this.#values[this.#session]?.[key] ?? 0;
  }

  commit(session: number, writes: ReadonlyMap<number, number>): void {
    this.#time += 1;
    const commit = { time: this.#time, writes };
    this.#logs[session]?.push(commit);
    this.#apply(session, session, commit);
  }

  /** Takes over all that another copy has: what it has is closed under causes. */
  #hear(session: number, other: number): void {
    const [own, theirs] = [this.#applied[session], this.#applied[other]];
    for (let origin = 0; origin < this.#options.sessions; origin += 1)
      for (let at = own?.[origin] ?? 0; at < (theirs?.[origin] ?? 0); at += 1) {
        const commit = this.#logs[origin]?.[at];
        if (commit !== undefined) this.#apply(session, origin, commit);
      }
  }

  #apply(session: number, origin: number, { time, writes }: Commit): void {
    const [applied, values, times] = [
      this.#applied[session],
      this.#values[session],
      this.#times[session],
    ];
    if (applied === undefined || values === undefined || times === undefined) return;
    applied[origin] = (applied[origin] ?? 0) + 1;
    for (const [key, value] of writes) {
      if ((times[key] ?? 0) > time) continue;
      times[key] = time;
      values[key] = value;
    }
  }
}

/** How many versions back a read-atomic store may look. */
const maxLag = 4;

class ReadAtomicStore implements Store {
  readonly #prng: Prng;
  /** Of each key its values and the commits that wrote them, oldest first. */
  readonly #values: Int32List[];
  readonly #times: Int32List[];
  readonly #writes: ReadonlyMap<number, number>[] = [new Map()];
  /** Of each session: of each key the version it wrote last. */
  readonly #own: Map<number, number>[];
  /** Of each key that the transaction at hand may read: the version it sees; -1 is initial. */
  #seen = new Map<number, number>();

  constructor({ prng, keys, sessions }: StoreOptions) {
    this.#prng = prng;
    this.#values = Array.from({ length: keys }, () => new Int32List(4));
    this.#times = Array.from({ length: keys }, () => new Int32List(4));
    this.#own = Array.from({ length: sessions }, () => new Map());
  }

  begin(session: number, keys: readonly number[]): void {
    this.#seen = new Map();
    for (const key of keys) {
      const newest = (this.#times[key]?.length ?? 0) - 1;
      const lagging = newest - this.#prng.nextInt(maxLag);
      this.#seen.set(key, Math.max(-1, lagging, this.#own[session]?.get(key) ?? -1));
    }
    // Raising one version brings in its writer, which may raise others.
    for (let raised = true; raised;) {
      raised = false;
      for (const [key, version] of this.#seen)
        if (version >= 0 && this.#raiseCowritten(this.#times[key]?.at(version) ?? 0)) raised = true;
    }
  }

  read(key: number): number {
    const version = this.#seen.get(key) ?? -1;
    return version < 0 ? 0 : (this.#values[key]?.at(version) ?? 0);
  }

  commit(session: number, writes: ReadonlyMap<number, number>): void {
    const time = this.#writes.length;
    this.#writes.push(writes);
    for (const [key, value] of writes) {
      this.#own[session]?.set(key, this.#values[key]?.length ?? 0);
      this.#values[key]?.push(value);
      this.#times[key]?.push(time);
    }
  }

  #raiseCowritten(time: number): boolean {
    let raised = false;
    for (const key of this.#writes[time]?.keys() ?? []) {
      const version = this.#seen.get(key);
      const times = this.#times[key];
      if (version === undefined || times === undefined) continue;
      let at = version;
      while (at < 0 || times.at(at) < time) at += 1;
      if (at === version) continue;
      this.#seen.set(key, at);
      raised = true;
    }
    return raised;
  }
}
