/**
 * @module What became of transactions that this replica does not know: asked of storage.
 *
 * "Aborted" is said only behind a fence (`Committer.decideForeign`), and never of a transaction so old
 * that its record may have been collected.
 */
import type { Clock } from "#kit/clock.ts";
import { anyAttemptOf, uuidTimeMs } from "../protocol/types.ts";
import type { Collector } from "./collector.ts";
import type { Committer, Decision } from "./committer.ts";
import type { ReplicaSettings } from "./options.ts";
import type { Outcomes } from "./outcomes.ts";
import { tagOf } from "./new-id.ts";
import type { CommitAnswer, Refusal, StatusAnswer } from "./port.ts";
import { refuse, refuseForStorage } from "./refuse.ts";

export function toAnswer(decision: Extract<Decision, { kind: "committed" }>): CommitAnswer {
  const { timestampUs, transactionId } = decision;
  return { kind: "committed", timestampUs, transactionId };
}

/** The answer to a commit of a transaction that is not open. */
export async function settled(status: Promise<StatusAnswer>): Promise<CommitAnswer> {
  const answer = await status;
  if (answer.kind !== "open") return answer;
  const refusal = refuse("transaction_exists", "the transaction was begun again meanwhile");
  return { kind: "unknown", refusal };
}

export class Endings {
  readonly #settings: ReplicaSettings;
  readonly #clock: Clock;
  readonly #committer: Committer;
  readonly #collector: Collector;
  readonly #outcomes: Outcomes;
  readonly #isCommitted: (uuid: string) => boolean;

  constructor(options: {
    settings: ReplicaSettings;
    clock: Clock;
    committer: Committer;
    collector: Collector;
    outcomes: Outcomes;
    isCommitted: (uuid: string) => boolean;
  }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#committer = options.committer;
    this.#collector = options.collector;
    this.#outcomes = options.outcomes;
    this.#isCommitted = options.isCommitted;
  }

  /** Why a transaction that is not open takes no calls. */
  refuseNotOpen(uuid: string): Refusal {
    const ended = this.#outcomes.get(uuid);
    if (ended?.kind === "aborted") return ended.refusal;
    if (ended?.kind === "committed" || this.#isCommitted(uuid))
      return refuse("transaction_committed", `transaction ${uuid} has committed`);
    return refuse("unknown_transaction", `transaction ${uuid} is not open here`);
  }

  /** What became of a transaction that is not known here; fences it if storage does not know either. */
  async ask(uuid: string): Promise<CommitAnswer> {
    const { outcomeRetentionMs, transactionTimeoutMs } = this.#settings;
    const askableMs = outcomeRetentionMs + transactionTimeoutMs;
    try {
      if (uuidTimeMs(uuid) < this.#clock.nowMs() - askableMs) return await this.#statusOfOld(uuid);
      const decision = await this.#committer.decideForeign(uuid);
      if (decision.kind === "aborted" && decision.fence !== undefined) {
        this.#collector.retainFence(decision.fence);
      }
      return this.#answerOf(uuid, decision);
    } catch (error) {
      return { kind: "unknown", refusal: refuseForStorage(error) };
    }
  }

  /** The outcome of a tagged request that has committed. */
  async ofRequest(requestId: string): Promise<CommitAnswer | undefined> {
    try {
      const decision = await this.#committer.find(anyAttemptOf(tagOf(requestId)));
      return decision?.kind === "committed" ? toAnswer(decision) : undefined;
    } catch (error) {
      return { kind: "unknown", refusal: refuseForStorage(error) };
    }
  }

  /** So old that its record may have been collected: absence proves nothing any more. */
  async #statusOfOld(uuid: string): Promise<CommitAnswer> {
    const decision = await this.#committer.find(uuid);
    if (decision !== undefined) return this.#answerOf(uuid, decision);
    const message = `the outcome of ${uuid} is no longer kept`;
    return { kind: "unknown", refusal: refuse("unknown_transaction", message) };
  }

  #answerOf(uuid: string, decision: Decision): CommitAnswer {
    if (decision.kind === "committed") return toAnswer(decision);
    const refusal = refuse(
      "unknown_transaction",
      `transaction ${uuid} is not open here and never committed`,
    );
    this.#outcomes.set(uuid, { kind: "aborted", refusal });
    return { kind: "aborted", refusal };
  }
}
