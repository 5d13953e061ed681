/**
 * @module Limits how often an address may fail to log in. Pure: time is an argument.
 *
 * Every address has `burst` failures to spend and gets one back every `refillMs`. At zero nothing is
 * checked any more, not even the right password: a guess that is answered quickly only when it is right
 * is no slower for who guesses. The price is that clients behind one address can lock each other out.
 *
 * Bounded: `maxAddresses` are remembered; beyond them the one that failed longest ago is forgotten.
 */

export interface AttemptLimits {
  readonly burst: number;
  readonly refillMs: number;
  readonly maxAddresses: number;
}

export const defaultAttemptLimits: AttemptLimits = {
  burst: 10,
  refillMs: 1_000,
  maxAddresses: 10_000,
};

interface Account {
  /** Failures that could be spent at `atMs`. */
  left: number;
  atMs: number;
}

export class FailedAttempts {
  readonly #limits: AttemptLimits;
  /** In the order of the last failure. */
  readonly #accounts = new Map<string, Account>();

  constructor(limits: AttemptLimits = defaultAttemptLimits) {
    this.#limits = limits;
  }

  get remembered(): number {
    return this.#accounts.size;
  }

  /** 0, or how long the address must wait before it may try again. */
  waitMs(address: string, nowMs: number): number {
    const left = this.#left(networkOf(address), nowMs);
    return left >= 1 ? 0 : Math.ceil((1 - left) * this.#limits.refillMs);
  }

  /** Notes a failure. */
  failed(address: string, nowMs: number): void {
    const network = networkOf(address);
    const left = this.#left(network, nowMs) - 1;
    this.#accounts.delete(network);
    this.#accounts.set(network, { left, atMs: nowMs });
    if (this.#accounts.size <= this.#limits.maxAddresses) return;
    const [oldest] = this.#accounts.keys();
    if (oldest !== undefined) this.#accounts.delete(oldest);
  }

  #left(network: string, nowMs: number): number {
    const { burst, refillMs } = this.#limits;
    const account = this.#accounts.get(network);
    if (account === undefined) return burst;
    // A clock that went back gives nothing.
    const refilled = Math.max(0, nowMs - account.atMs) / refillMs;
    return Math.min(burst, account.left + refilled);
  }
}

/** What one party surely controls: an IPv4 address, or a /64 of IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%")[0]?.split(/::/) ?? [];
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  // Only `::` may stand for zeros; without it the address has all eight groups.
  if (tail !== undefined) while (groups.length + behind.length < 8) groups.push("0");
  return [...groups, ...behind].slice(0, 4).join(":");
}
