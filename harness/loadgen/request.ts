/**
 * @module One request of the load: its attempts until it has ended or is given up.
 *
 * Whoever drives the load decides when a request is given up; the attempt under way is then counted
 * at its time limit (MEASURING rule 4), goes on unseen, and its transaction still enters the history
 * when it ends, because others may have read what it wrote.
 */
import { delay } from "#kit/clock.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import {
  drawMishaps,
  type MishapRates,
  type RequestMishaps,
} from "#workloads/functions/mishaps.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import {
  type AttemptContext,
  type AttemptIdentity,
  type AttemptResult,
  lostTransaction,
  runAttempt,
} from "./attempt.ts";

/** What happens to the record; both are called in the order of completion. */
export interface LoadSinks {
  onAttempt(record: AttemptRecord): void;
  onTransaction(transaction: RecordedTransaction): void;
}

export interface RequestContext extends AttemptContext {
  readonly workload: Workload;
  /** Prefix of request ids, so that warm-up, blocks and fills never share one. */
  readonly label?: string;
  readonly block: number;
  readonly sinks: LoadSinks;
  /** Once aborted, no further attempts. */
  readonly signal: AbortSignal;
  /** Absent: `maxAttempts`. */
  readonly attempts?: number;
  /** What happens to measured requests on purpose. */
  readonly mishaps?: MishapPlan;
}

export interface MishapPlan {
  readonly rates: MishapRates;
  readonly seed: number;
  /** Told of each mishap that has happened, by its kind. */
  readonly onInjected: (kind: string) => void;
}

/** Which request, and when it is due. */
export interface Ticket {
  readonly client: number;
  readonly index: number;
  readonly dueUs: number;
}

/** A request under way. */
export interface Pending {
  /** Settles when nothing of it runs any more; never rejects. */
  readonly done: Promise<void>;
  /** Counts it as ended at `endUs` without an answer. Harmless when it has ended. */
  expire(endUs: number, reason: string): void;
  /** Puts what is still under way into the history as lost, and ignores what comes later. */
  abandon(): void;
}

/** After so many attempts a request has failed. */
export const maxAttempts = 50;
/** The attempt number of a second delivery: above those of all retries. */
const deliveredAgain = maxAttempts;
/** Nothing orders second deliveries after what their client does: sessions of their own, below those of fills. */
const firstTwinSession = -1_000;
/** Pause before the second attempt; doubles with each, up to the longest. */
const firstBackoffUs = 1_000;
const longestBackoffUs = 100_000;

/** Starts the request now. Never throws. */
export function startRequest(context: RequestContext, ticket: Ticket): Pending {
  const run = new RequestRun(context, ticket);
  return {
    done: run.run(),
    expire: (endUs, reason) => {
      run.expire(endUs, reason);
    },
    abandon: () => {
      run.abandon();
    },
  };
}

/** Counts a request that was never started: no slot became free in time. */
export function recordDropped(
  context: RequestContext,
  ticket: Ticket,
  limits: { readonly timeoutUs: number },
): void {
  const { workload, label = "", block, sinks } = context;
  const { requestId } = workload.request(ticket.client, ticket.index);
  // Counted at the time limit: a request that was never sent must not make the percentiles better.
  const endUs = ticket.dueUs + limits.timeoutUs;
  sinks.onAttempt({
    requestId: label + requestId,
    client: ticket.client,
    attempt: 0,
    index: ticket.index,
    block,
    dueUs: ticket.dueUs,
    startUs: endUs,
    endUs,
    outcome: "failed",
    reason: droppedReason,
    censored: true,
    final: true,
    coldStarts: 0,
  });
}

/** Reasons of requests without an answer, as they stand in the record. */
export const droppedReason = "dropped: no free slot";
export const timeoutReason = "timeout";
export const unansweredReason = "unanswered at the end";

class RequestRun {
  readonly #context: RequestContext;
  readonly #ticket: Ticket;
  readonly #request: PlannedRequest;
  readonly #mishaps: RequestMishaps | undefined;
  /** Start of a second delivery that is under way. */
  #twinStartUs: number | undefined;
  #attempt = 0;
  #startUs = 0;
  /** An attempt is under way, as opposed to a pause between two. */
  #running = false;
  #ended = false;
  #abandoned = false;

  constructor(context: RequestContext, ticket: Ticket) {
    this.#context = context;
    this.#ticket = ticket;
    const planned = context.workload.request(ticket.client, ticket.index);
    this.#request = { ...planned, requestId: (context.label ?? "") + planned.requestId };
    const { mishaps, block } = context;
    if (mishaps !== undefined && block >= 0)
      this.#mishaps = drawMishaps(mishaps.rates, mishaps.seed, this.#request);
  }

  async run(): Promise<void> {
    const { duplicate } = this.#mishaps ?? {};
    await Promise.all([
      this.#deliver(),
      ...(duplicate === undefined ? [] : [this.#deliverAgain(duplicate.afterUs)]),
    ]);
  }

  /** What becomes of a second delivery nobody waits for; others may read what it wrote. */
  async #deliverAgain(afterUs: number): Promise<void> {
    const { clock, sinks, mishaps } = this.#context;
    await delay(clock, afterUs);
    if (this.#abandoned) return;
    this.#twinStartUs = clock.monotonicUs();
    mishaps?.onInjected("duplicate");
    const { transaction } = await runAttempt(this.#context, this.#request, this.#twin());
    this.#twinStartUs = undefined;
    if (!this.#abandoned) sinks.onTransaction(transaction);
  }

  #twin(): AttemptIdentity {
    return { client: firstTwinSession - this.#ticket.client, attempt: deliveredAgain };
  }

  async #deliver(): Promise<void> {
    const { clock, sinks, signal, mishaps, attempts = maxAttempts } = this.#context;
    for (;;) {
      this.#startUs = clock.monotonicUs();
      this.#running = true;
      const result = await runAttempt(this.#context, this.#request, this.#identity());
      this.#running = false;
      for (const kind of result.injected) mishaps?.onInjected(kind);
      if (this.#abandoned) return;
      sinks.onTransaction(result.transaction);
      if (this.#ended) return;
      const final = isFinal(result, this.#attempt + 1 >= attempts, signal);
      this.#ended = final;
      this.#record({ ...result, final, endUs: clock.monotonicUs() });
      if (final) return;
      await delay(clock, Math.min(firstBackoffUs * 2 ** this.#attempt, longestBackoffUs));
      if (this.#ended) return;
      this.#attempt += 1;
    }
  }

  expire(endUs: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#running) {
      // Between two attempts: the one that did not start any more is what is counted.
      this.#attempt += 1;
      this.#startUs = Math.min(this.#context.clock.monotonicUs(), endUs);
    }
    const outcome = this.#running ? "unknown" : "failed";
    this.#record({ outcome, reason, final: true, censored: true, coldStarts: 0, endUs });
  }

  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    const lose = (identity: AttemptIdentity, startUs: number): void => {
      this.#context.sinks.onTransaction(lostTransaction(this.#request, identity, startUs));
    };
    if (this.#running) lose(this.#identity(), this.#startUs);
    if (this.#twinStartUs !== undefined) lose(this.#twin(), this.#twinStartUs);
  }

  #identity(): AttemptIdentity {
    const attempt = this.#attempt;
    const functions = attempt === 0 ? this.#mishaps?.functions : undefined;
    const { client } = this.#ticket;
    return { client, attempt, ...(functions !== undefined && { mishaps: functions }) };
  }

  #record(ended: EndedRecord): void {
    const { reason, final, endUs, outcome, coldStarts, censored, times } = ended;
    const { client, index, dueUs } = this.#ticket;
    this.#context.sinks.onAttempt({
      requestId: this.#request.requestId,
      client,
      attempt: this.#attempt,
      index,
      block: this.#context.block,
      dueUs,
      startUs: this.#startUs,
      endUs,
      outcome: final && outcome === "aborted" ? "failed" : outcome,
      ...(reason !== undefined && { reason }),
      ...(censored === true && { censored }),
      final,
      coldStarts,
      ...(times !== undefined && { times }),
    });
  }
}

type EndedRecord = Pick<
  AttemptRecord,
  "reason" | "final" | "endUs" | "outcome" | "coldStarts" | "censored" | "times"
>;

/**
 * An unknown outcome is tried again as a FaaS platform would: at least once. Whether that repeats
 * effects is what the system under test is judged by.
 */
function isFinal(result: AttemptResult, isLast: boolean, signal: AbortSignal): boolean {
  return result.outcome === "committed" || result.hopeless || isLast || signal.aborted;
}
