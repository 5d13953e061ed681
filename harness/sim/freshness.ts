/**
 * @module Watches what replicas answer, from outside: who serves has read the commit set.
 *
 *   J1  A transaction reads nothing older than what was durable when its replica started, or last learned
 *       that others had gone on without it; unless that version was collected since.
 *
 * Read atomicity does not ask for this: any subset of all commits is an atomic read set, and one that has read
 * nothing yet answers "absent" in perfect order. Each key is judged once after each joining, as
 * replicas never go back.
 */
import type { Names } from "#shim/aft/protocol/names.ts";
import {
  type CommitRecord,
  compareTransactionIds,
  type Key,
  key as toKey,
} from "#shim/aft/protocol/types.ts";
import type {
  BeginAnswer,
  CommitAnswer,
  MaybePromise,
  PutAnswer,
  ReadAnswer,
  Refusal,
  Replica,
  ReplicaStats,
  StatusAnswer,
} from "#shim/aft/replica/port.ts";
import type { PeerView } from "#shim/aft/replica/peer-view.ts";
import { decodeStamp } from "#workloads/functions/value.ts";
import type { Oracle } from "./oracle.ts";
import type { SimStore } from "./store.ts";

/** What was the newest of each key, and was not yet seen at the replica since. */
export type Floor = Map<Key, CommitRecord>;

export interface FreshnessParts {
  readonly oracle: Pick<Oracle, "newest" | "committed" | "isReadable">;
  readonly store: SimStore;
  readonly names: Names;
  /** Whether acknowledged data can be read at once; else a version may be passed over for a while. */
  readonly isExact: boolean;
  readonly onViolation: (what: string) => void;
}

export class Freshness {
  readonly #parts: FreshnessParts;

  constructor(parts: FreshnessParts) {
    this.#parts = parts;
  }

  /** What is durable now. */
  floor(): Floor {
    return new Map(this.#parts.isExact ? this.#parts.oracle.newest : []);
  }

  /** The same replica; `floor` was taken before it began to read. */
  watch(replica: Replica, name: string, floor: Floor): WatchedReplica {
    return new WatchedReplica({ replica, name, floor, freshness: this });
  }

  judge(options: {
    readonly answer: ReadAnswer;
    readonly key: Key;
    readonly floor: Floor;
    readonly transactionId: string;
    readonly name: string;
  }): void {
    const { answer, key, floor, transactionId, name } = options;
    const least = floor.get(key);
    if (least === undefined || answer.kind === "refused") return;
    const { oracle, store, names, onViolation } = this.#parts;
    const writer = answer.kind === "value" ? decodeStamp(answer.value).transactionId : undefined;
    // Its own write, which says nothing of others.
    if (writer === transactionId) return;
    floor.delete(key);
    const seen = writer === undefined ? undefined : oracle.committed.get(writer);
    if (seen !== undefined && compareTransactionIds(seen.id, least.id) >= 0) return;
    const isThere = store.has(names.version(key, least.id.uuid)) && oracle.isReadable(least);
    if (!isThere) return;
    onViolation(
      `J1: ${name} answered ${transactionId} with ${key} from ${writer ?? "nobody"}, although ` +
        `${least.id.uuid} was durable before it joined`,
    );
  }
}

export class WatchedReplica implements Replica {
  readonly #replica: Replica;
  readonly #name: string;
  readonly #freshness: Freshness;
  #floor: Floor;
  /** Of transactions that began while there was one. */
  readonly #floors = new Map<string, Floor>();

  constructor(options: { replica: Replica; name: string; floor: Floor; freshness: Freshness }) {
    this.#replica = options.replica;
    this.#name = options.name;
    this.#freshness = options.freshness;
    this.#floor = options.floor;
  }

  /** It has just learned that it has to read again. */
  joinsAgain(): void {
    this.#floor = this.#freshness.floor();
  }

  get peers(): PeerView {
    return this.#replica.peers;
  }

  begin(call: Parameters<Replica["begin"]>[0]): BeginAnswer {
    const answer = this.#replica.begin(call);
    if (answer.kind === "begun" && this.#floor.size > 0)
      this.#floors.set(answer.transactionId, this.#floor);
    return answer;
  }

  get(call: Parameters<Replica["get"]>[0]): MaybePromise<ReadAnswer> {
    const answer = this.#replica.get(call);
    const floor = this.#floors.get(call.transactionId);
    if (floor === undefined) return answer;
    return after(answer, (read) => {
      this.#judge(read, call.transactionId, call.key, floor);
    });
  }

  getMany(call: Parameters<Replica["getMany"]>[0]): MaybePromise<readonly ReadAnswer[]> {
    const answers = this.#replica.getMany(call);
    const floor = this.#floors.get(call.transactionId);
    if (floor === undefined) return answers;
    return after(answers, (reads) => {
      for (const [index, key] of call.keys.entries()) {
        const read = reads[index];
        if (read !== undefined) this.#judge(read, call.transactionId, key, floor);
      }
    });
  }

  put(call: Parameters<Replica["put"]>[0]): MaybePromise<PutAnswer> {
    return this.#replica.put(call);
  }

  commit(call: Parameters<Replica["commit"]>[0]): MaybePromise<CommitAnswer> {
    this.#floors.delete(call.transactionId);
    return this.#replica.commit(call);
  }

  abort(call: { readonly transactionId: string }): { readonly kind: "aborted" } | Refusal {
    this.#floors.delete(call.transactionId);
    return this.#replica.abort(call);
  }

  status(call: { readonly transactionId: string }): Promise<StatusAnswer> {
    return this.#replica.status(call);
  }

  outcomeOfRequest(requestId: string): Promise<CommitAnswer | undefined> {
    return this.#replica.outcomeOfRequest(requestId);
  }

  stats(): ReplicaStats {
    return this.#replica.stats();
  }

  close(): Promise<void> {
    return this.#replica.close();
  }

  #judge(answer: ReadAnswer, transactionId: string, key: string, floor: Floor): void {
    const name = this.#name;
    this.#freshness.judge({ answer, key: toKey(key), floor, transactionId, name });
  }
}

/** Looks at an answer when it is there; who waits for it notices nothing. */
function after<T>(answer: MaybePromise<T>, look: (answer: T) => void): MaybePromise<T> {
  if (answer instanceof Promise) answer.then(look, () => {});
  else look(answer);
  return answer;
}
