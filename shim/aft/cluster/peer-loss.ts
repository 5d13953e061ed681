/**
 * @module Loses, on purpose and for a while, all that replicas say to each other.
 *
 * Managers are heard as before, so nobody is declared dead: commits reach the others only through
 * what the managers find and tell. For tests of a running cluster; only with `cluster.debug`.
 */
import type { Clock } from "#kit/clock.ts";
import { ProjectError } from "#kit/errors.ts";
import type { PeerAnswer, PeerEndpoint, PeerMessage, Transport } from "./port.ts";

/** This message was lost on purpose. */
export class LostOnPurposeError extends ProjectError {
  readonly code = "lost_on_purpose";
  readonly disposition = "retry";
}

export class PeerLoss {
  readonly #clock: Clock;
  #untilUs = -Infinity;
  #lost = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Messages lost so far, in both directions. */
  get lost(): number {
    return this.#lost;
  }

  /** From now on; a second call replaces the first. */
  loseFor(durationMs: number): void {
    this.#untilUs = this.#clock.monotonicUs() + durationMs * 1_000;
  }

  /** Of a replica, which asks only other replicas. */
  transport(inner: Transport): Transport {
    return {
      ask: async (address, message) => {
        this.#mayLose();
        return inner.ask(address, message);
      },
    };
  }

  /** @throws LostOnPurposeError, from `handle`. */
  endpoint(inner: PeerEndpoint): PeerEndpoint {
    return {
      handle: (message: PeerMessage): PeerAnswer => {
        if (message.kind === "sync" && message.from.role === "replica") this.#mayLose();
        return inner.handle(message);
      },
      members: () => inner.members(),
    };
  }

  #mayLose(): void {
    if (this.#clock.monotonicUs() >= this.#untilUs) return;
    this.#lost += 1;
    throw new LostOnPurposeError("lost on purpose (AFT.DEBUG LOSE-PEERS)");
  }
}
