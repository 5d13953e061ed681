/**
 * @module Client request tokens: which request a token belongs to, for ten minutes after it has ended.
 *
 *   T1  The same request again, while the first is under way: TransactionInProgressException.
 *   T2  The same request again within ten minutes of its success: success, and nothing is done.
 *   T3  Another request with the same token: IdempotentParameterMismatchException, also where the first was
 *       cancelled; the documentation says nothing that allows it.
 *   T4  The same request again after it was cancelled is tried again.
 */
import { createHash } from "node:crypto";
import type { Clock } from "#kit/clock.ts";
import { refused } from "./api-error.ts";

const validMs = 10 * 60_000;

interface Known {
  readonly request: string;
  state: "under way" | "done" | "cancelled";
  endedMs: number;
}

export class RequestTokens {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether there is nothing left to do; otherwise `end` must be called. @throws ApiError */
  begin(token: string, request: unknown): "new" | "done" {
    this.#forgetOld();
    const hash = createHash("sha256").update(JSON.stringify(request)).digest("base64");
    const known = this.#known.get(token);
    if (known === undefined || known.state === "cancelled") {
      if (known !== undefined && known.request !== hash) throw mismatch();
      this.#known.set(token, { request: hash, state: "under way", endedMs: Infinity });
      return "new";
    }
    if (known.request !== hash) throw mismatch();
    if (known.state === "done") return "done";
    const message = "The transaction with the given request token is already in progress.";
    throw refused("TransactionInProgressException", message);
  }

  end(token: string, state: "done" | "cancelled"): void {
    const known = this.#known.get(token);
    if (known === undefined) return;
    known.state = state;
    known.endedMs = this.#clock.nowMs();
    // Behind those that ended earlier.
    this.#known.delete(token);
    this.#known.set(token, known);
  }

  #forgetOld(): void {
    const nowMs = this.#clock.nowMs();
    for (const [token, { state, endedMs }] of this.#known) {
      if (state === "under way") continue;
      if (endedMs + validMs > nowMs) break;
      this.#known.delete(token);
    }
  }
}

function mismatch(): Error {
  const message =
    "The request uses the same client token as a previous, but non-identical request.";
  return refused("IdempotentParameterMismatchException", message);
}
