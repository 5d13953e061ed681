/**
 * @module The commits of one replica as a numbered stream, and how far each peer has heard it
 * (AFT §4.1). Pure.
 *
 * A batch covers the numbers (after, upTo]; superseded commits in between may be left out. The
 * receiver says how far it has heard without a gap, and that is where the next batch begins: a lost,
 * repeated or overtaken message is repaired by the next one, whoever sends it.
 */
import type { CommitRecord } from "./types.ts";

export interface CommitBatch {
  readonly after: number;
  readonly upTo: number;
  readonly records: readonly CommitRecord[];
  /** Older commits are no longer kept: the receiver has to look for them in storage. */
  readonly reset: boolean;
}

/** A batch also ends when its commits wrote so many keys on average: messages stay of one size. */
const keysPerRecord = 20;

/** The first commits up to a number, and no more keys than a message should hold. */
export function firstOf(records: readonly CommitRecord[], most: number): CommitRecord[] {
  const first: CommitRecord[] = [];
  let keys = 0;
  for (const record of records) {
    if (first.length >= most || keys >= keysPerRecord * most) break;
    first.push(record);
    keys += record.writeSet.size;
  }
  return first;
}

interface Kept {
  readonly record: CommitRecord;
  /** Found to be so once: it stays so (V2 of the replica), and is not asked for each peer again. */
  superseded: boolean;
}

/** The sender's end. */
export class CommitStream {
  readonly #limit: number;
  readonly #isSuperseded: (record: CommitRecord) => boolean;
  /** Commits numbered #first, #first + 1, … */
  #kept: Kept[] = [];
  #first = 1;
  readonly #heard = new Map<string, number>();

  /** Keeps at most `limit` commits for peers that have not heard them. */
  constructor(limit: number, isSuperseded: (record: CommitRecord) => boolean = () => false) {
    this.#limit = limit;
    this.#isSuperseded = isSuperseded;
  }

  /** Number of the newest commit; 0 before the first. */
  get last(): number {
    return this.#first + this.#kept.length - 1;
  }

  get kept(): number {
    return this.#kept.length;
  }

  append(record: CommitRecord): void {
    this.#kept.push({ record, superseded: false });
    // Half at once: dropping one by one would copy the rest each time.
    if (this.#kept.length > this.#limit) this.#drop(Math.ceil(this.#limit / 2));
  }

  /** A peer has heard that far. */
  acknowledge(peer: string, upTo: number): void {
    this.#heard.set(peer, Math.min(Math.max(upTo, this.#heard.get(peer) ?? 0), this.last));
  }

  /** Forgets peers that are gone, and commits that all the others have heard. */
  retain(peers: ReadonlySet<string>): void {
    for (const peer of this.#heard.keys()) if (!peers.has(peer)) this.#heard.delete(peer);
    let heardByAll = this.last;
    for (const peer of peers) heardByAll = Math.min(heardByAll, this.#heard.get(peer) ?? 0);
    const count = heardByAll - this.#first + 1;
    if (count > 0) this.#drop(count);
  }

  hasNews(peer: string): boolean {
    return (this.#heard.get(peer) ?? 0) < this.last;
  }

  /** What a peer has not heard, up to `most` commits; superseded ones only where `all` are wanted. */
  batchFor(peer: string, most: number, which: "all" | "newest"): CommitBatch | undefined {
    const heard = this.#heard.get(peer) ?? 0;
    if (heard >= this.last) return undefined;
    const reset = heard < this.#first - 1;
    const after = reset ? this.#first - 1 : heard;
    const begin = after - this.#first + 1;
    const records: CommitRecord[] = [];
    let position = begin;
    let keys = 0;
    for (; position < this.#kept.length && records.length < most; position += 1) {
      const kept = this.#kept[position];
      if (kept === undefined || (which === "newest" && this.#isLeftOut(kept))) continue;
      records.push(kept.record);
      keys += kept.record.writeSet.size;
      if (keys < keysPerRecord * most) continue;
      position += 1;
      break;
    }
    return { after, upTo: this.#first + position - 1, records, reset };
  }

  #isLeftOut(kept: Kept): boolean {
    kept.superseded ||= this.#isSuperseded(kept.record);
    return kept.superseded;
  }

  #drop(count: number): void {
    this.#kept = this.#kept.slice(count);
    this.#first += count;
  }
}

/** The receiver's end, for all streams it hears. */
export class HeardStreams {
  readonly #upTo = new Map<string, number>();

  heard(origin: string): number {
    return this.#upTo.get(origin) ?? 0;
  }

  /** Notes a batch; whether something before it is missing for good. */
  note(origin: string, { after, upTo, reset }: CommitBatch): { readonly lost: boolean } {
    const heard = this.heard(origin);
    if (!reset && after > heard) return { lost: false };
    this.#upTo.set(origin, Math.max(heard, upTo));
    return { lost: reset && after > heard };
  }
}
