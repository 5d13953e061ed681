/**
 * @module What a fault manager passes on: commits found in storage, and the last ones of a replica that
 * is gone. A replica tells each peer by itself, so when it dies some may have heard what others have
 * not; that the manager has heard it does not mean that all have.
 *
 * Invariants
 *   W1  Whatever a member committed within the window is kept, and told to all when it is gone.
 *   W2  Telling is repeated until it was answered, or whoever is told is gone or will read the commit
 *       set anyway (a new incarnation).
 *   W3  A replica that had not heard the one that is gone for longer than `trustMs`, which is
 *       shorter than the window, reads the commit set (`replica-member.ts`).
 */
import { type Clock, delay } from "#kit/clock.ts";
import { isGone, type Member, type Members } from "../protocol/members.ts";
import type { CommitRecord } from "../protocol/types.ts";
import type { ClusterSettings, Transport } from "./port.ts";

/** Commits of a member that is gone are told if they were heard within so long before. */
function windowMs({ deadAfterMs, multicastMs }: ClusterSettings): number {
  return 3 * deadAfterMs + 5 * multicastMs;
}

/** Silence of a member that is gone after which its last commits are not waited for. */
export function trustMs({ deadAfterMs, multicastMs }: ClusterSettings): number {
  return 2 * deadAfterMs + 3 * multicastMs;
}

interface Heard {
  readonly record: CommitRecord;
  readonly atUs: number;
}

export class Forwarding {
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #settings: ClusterSettings;
  readonly #members: Members;
  readonly #isNeeded: (record: CommitRecord) => boolean;
  readonly #heard = new Map<string, Heard[]>();
  #present = new Map<string, Member>();
  #closed = false;

  constructor(options: {
    clock: Clock;
    transport: Transport;
    settings: ClusterSettings;
    members: Members;
    /** Superseded ones need not be told (AFT §4.1). */
    isNeeded: (record: CommitRecord) => boolean;
  }) {
    this.#clock = options.clock;
    this.#transport = options.transport;
    this.#settings = options.settings;
    this.#members = options.members;
    this.#isNeeded = options.isNeeded;
  }

  close(): void {
    this.#closed = true;
  }

  /** Commits that a member itself has told. */
  heard(from: string, records: readonly CommitRecord[]): void {
    if (records.length === 0) return;
    const atUs = this.#clock.monotonicUs();
    const list = this.#heard.get(from) ?? [];
    this.#heard.set(from, list);
    for (const record of records) list.push({ record, atUs });
  }

  /** To be called every now and then: forgets what is old, and tells of who has gone since. */
  look(): void {
    const oldestUs = this.#clock.monotonicUs() - windowMs(this.#settings) * 1_000;
    const now = new Map(this.#members.others("replica").map((member) => [member.id, member]));
    const gone = [...this.#present.keys()].filter((id) => !now.has(id));
    this.#present = now;
    for (const id of gone) {
      const list = this.#heard.get(id) ?? [];
      this.#heard.delete(id);
      void this.tell(list.map(({ record }) => record));
    }
    for (const [id, list] of this.#heard) {
      const first = list.findIndex(({ atUs }) => atUs >= oldestUs);
      if (first !== 0) this.#heard.set(id, first < 0 ? [] : list.slice(first));
    }
  }

  /** Tells all replicas (W2); how many commits there were to tell of. Never rejects. */
  async tell(records: readonly CommitRecord[]): Promise<number> {
    const needed = records.filter((record) => this.#isNeeded(record));
    if (needed.length === 0) return 0;
    const replicas = this.#members.others("replica");
    await Promise.all(replicas.map((replica) => this.#tellOne(replica, needed)));
    return needed.length;
  }

  async #tellOne(replica: Member, records: readonly CommitRecord[]): Promise<void> {
    const { maxBatch, multicastMs } = this.#settings;
    let start = 0;
    while (start < records.length && !this.#closed && this.#isStill(replica)) {
      const some = records.slice(start, start + maxBatch);
      try {
        await this.#transport.ask(replica.address, { kind: "tell", records: some });
        start += maxBatch;
      } catch {
        await delay(this.#clock, multicastMs * 1_000);
      }
    }
  }

  #isStill({ id, incarnation }: Member): boolean {
    const member = this.#members.find(id);
    return member !== undefined && member.incarnation === incarnation && !isGone(member);
  }
}
