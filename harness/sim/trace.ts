/**
 * @module A running hash over every event: two runs are the same if and only if their hashes are.
 * Also the events as text, for people.
 */
import type { SimEvent } from "./event-queue.ts";

const prime = 0x01000193;
const otherPrime = 0x85ebca6b;

const kindNumbers = { timer: 1, message: 2, storage: 3, command: 4, fault: 5, load: 6 } as const;

export class Trace {
  #low = 0x811c9dc5;
  #high = 0x2545f491;
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  note(event: SimEvent): void {
    const word = kindNumbers[event.kind] + event.owner * 8;
    let low = Math.imul(this.#low ^ event.timeUs, prime);
    low = Math.imul(low ^ word, prime);
    this.#low = Math.imul(low ^ event.digest, prime);
    let high = Math.imul(this.#high ^ event.digest, otherPrime);
    high ^= high >>> 15;
    high = Math.imul(high ^ event.timeUs, otherPrime);
    this.#high = Math.imul(high ^ word, otherPrime) ^ (high >>> 13);
  }

  /** Tells people something; of no effect on the hash. */
  say(timeUs: number, text: () => string): void {
    this.#onLine?.(`${(timeUs / 1_000).toFixed(3).padStart(12)} ms  ${text()}`);
  }

  get hash(): string {
    const part = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
    return part(this.#high) + part(this.#low);
  }
}

/** 32 bits of a text; cheap rather than good: of long ones, some sixteen characters and the last one count. */
export function digestText(text: string): number {
  const stride = 1 + (text.length >> 4);
  let hash = 0x811c9dc5 ^ text.length;
  for (let index = text.length - 1; index >= 0; index -= stride)
    hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  return hash;
}

export function digestPair(a: number, b: number): number {
  return Math.imul(a ^ Math.imul(b, otherPrime), prime);
}
