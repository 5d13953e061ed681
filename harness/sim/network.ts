/**
 * @module The network between processes: delays, losses, repetitions, one-way cuts.
 *
 * Two kinds of traffic. Datagrams (what peers ask each other) may be lost, repeated, delayed by any
 * amount and so overtaken. Streams (connections of clients) are TCP's: in order, and never lost while
 * both ends live; over a cut link they wait.
 */
import type { Prng } from "#kit/prng.ts";
import type { SimLoop } from "./loop.ts";

export interface LinkSettings {
  /** Least time on the way. */
  readonly baseUs: number;
  /** Mean of what is added, exponential. */
  readonly jitterUs: number;
}

export interface NetworkTrouble {
  /** Shares of datagrams. */
  lose: number;
  repeat: number;
  /** Longest further delay of a datagram, uniform. */
  delayUs: number;
}

/** What cannot pass is tried again after this (TCP's retransmission). */
const retransmitUs = 100_000;

export class SimNetwork {
  readonly trouble: NetworkTrouble = { lose: 0, repeat: 0, delayUs: 0 };
  readonly #loop: SimLoop;
  readonly #prng: Prng;
  readonly #link: LinkSettings;
  /** Links that carry nothing, as `from>to`; how many faults cut each. */
  readonly #cuts = new Map<string, number>();
  sent = 0;
  lost = 0;

  constructor(options: { loop: SimLoop; prng: Prng; link: LinkSettings }) {
    this.#loop = options.loop;
    this.#prng = options.prng;
    this.#link = options.link;
  }

  /** Cuts one direction; the answer heals it. */
  cut(from: string, to: string): () => void {
    const name = `${from}>${to}`;
    this.#cuts.set(name, (this.#cuts.get(name) ?? 0) + 1);
    let healed = false;
    return () => {
      if (healed) return;
      healed = true;
      const left = (this.#cuts.get(name) ?? 1) - 1;
      if (left > 0) this.#cuts.set(name, left);
      else this.#cuts.delete(name);
    };
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`);
  }

  delayUs(): number {
    const { baseUs, jitterUs } = this.#link;
    return Math.ceil(baseUs - Math.log(1 - this.#prng.next()) * jitterUs);
  }

  /** Carries a datagram; `arrive` runs once, twice or never. */
  datagram(
    way: {
      readonly from: string;
      readonly to: string;
      readonly owner: number;
      readonly digest: number;
    },
    arrive: () => void,
  ): void {
    const { from, to, owner, digest } = way;
    this.sent += 1;
    const { lose, repeat, delayUs } = this.trouble;
    if (this.isCut(from, to) || this.#chance(lose)) {
      this.lost += 1;
      return;
    }
    const copies = this.#chance(repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const further = delayUs > 0 ? this.#prng.nextInt(delayUs) : 0;
      this.#loop.after(this.delayUs() + further, { kind: "message", owner, digest }, arrive);
    }
  }

  /** One direction of a connection. */
  stream(from: string, to: string, owner: number): SimStream {
    return new SimStream({ network: this, loop: this.#loop, from, to, owner });
  }

  #chance(share: number): boolean {
    return share > 0 && this.#prng.next() < share;
  }
}

/** Carries things in the order in which they were sent. */
export class SimStream {
  readonly #network: SimNetwork;
  readonly #loop: SimLoop;
  readonly #from: string;
  readonly #to: string;
  readonly #owner: number;
  readonly #waiting: { readonly digest: number; readonly arrive: () => void }[] = [];
  #lastUs = 0;
  #closed = false;

  constructor(options: {
    network: SimNetwork;
    loop: SimLoop;
    from: string;
    to: string;
    owner: number;
  }) {
    this.#network = options.network;
    this.#loop = options.loop;
    this.#from = options.from;
    this.#to = options.to;
    this.#owner = options.owner;
  }

  send(digest: number, arrive: () => void): void {
    if (this.#closed) return;
    this.#waiting.push({ digest, arrive });
    const atUs = Math.max(this.#lastUs, this.#loop.nowUs + this.#network.delayUs());
    this.#lastUs = atUs;
    this.#deliverAt(atUs, digest);
  }

  /** What is under way is lost. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #deliverAt(atUs: number, digest: number): void {
    const what = { kind: "command", owner: this.#owner, digest } as const;
    this.#loop.after(atUs - this.#loop.nowUs, what, () => {
      if (this.#closed) return;
      if (this.#network.isCut(this.#from, this.#to)) {
        this.#deliverAt(this.#loop.nowUs + retransmitUs, digest);
        return;
      }
      // Whatever order equal instants come in: one is due, so the next one in line goes.
      this.#waiting.shift()?.arrive();
    });
  }
}
