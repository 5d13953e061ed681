/**
 * @module Group commit: transactions that commit at the same time leave in one storage request.
 *
 * The first one goes at once; those that arrive while requests are under way share the next. Bounded
 * in group size and in requests under way, so that a slow store cannot build an endless queue of
 * requests, only of transactions, which `maxOpenTransactions` bounds.
 */
import type { Clock } from "#kit/clock.ts";
import type { ReplicaSettings } from "./options.ts";
import type { SealedWrite, SealOutcome, StorageEngine } from "#shim/storage/port.ts";

interface Waiting {
  readonly write: SealedWrite;
  readonly settle: (outcome: SealOutcome) => void;
}

export class GroupCommit {
  readonly #engine: StorageEngine;
  readonly #clock: Clock;
  readonly #maxGroup: number;
  readonly #maxInFlight: number;
  #queue: Waiting[] = [];
  #inFlight = 0;
  #deferred = false;
  groupsTotal = 0;

  constructor(options: {
    engine: StorageEngine;
    clock: Clock;
    settings: Pick<ReplicaSettings, "maxGroupCommit" | "maxGroupsInFlight">;
  }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#maxGroup = options.settings.maxGroupCommit;
    this.#maxInFlight = options.settings.maxGroupsInFlight;
  }

  /** Seals one write, in whatever company; `settle` is called once and must not throw. */
  seal(write: SealedWrite, settle: (outcome: SealOutcome) => void): void {
    this.#queue.push({ write, settle });
    // Where a seal costs several requests a group waits for its slowest member, so it pays only
    // when there is no place left for requests of their own.
    const alone = !this.#engine.capabilities.orderedPipeline;
    if (alone || this.#inFlight === 0) this.#send();
    else this.#deferSend();
  }

  /** Lets everything that is ready in this turn of the loop join the same group. */
  #deferSend(): void {
    if (this.#deferred || this.#inFlight >= this.#maxInFlight) return;
    this.#deferred = true;
    this.#clock.defer(() => {
      this.#deferred = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#queue.length === 0 || this.#inFlight >= this.#maxInFlight) return;
    const group = this.#queue.splice(0, this.#maxGroup);
    this.#inFlight += 1;
    this.groupsTotal += 1;
    void this.#engine.putSealed(group.map(({ write }) => write)).then((outcomes) => {
      this.#inFlight -= 1;
      for (let index = 0; index < group.length; index += 1) {
        const outcome = outcomes[index];
        if (outcome !== undefined) group[index]?.settle(outcome);
      }
      this.#send();
    });
  }
}
