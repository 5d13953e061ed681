/**
 * @module Open-loop load: requests start at their due times, whatever the system does.
 *
 * Invariants (MEASURING rule 1), tested one by one:
 *   O1  Every request of the schedule is started, dropped or cut off by a stop, and counted as that.
 *   O2  A request never starts before its due time; a late start does not move its due time.
 *   O3  A request that finds no free slot waits its turn, and is dropped at a named bound.
 *   O4  A request without an answer ends at its time limit, and is counted there.
 *
 * Timers come from the clock; a precise one finishes with an immediate tail (rule 14).
 */
import type { Clock } from "#kit/clock.ts";
import { timeoutReason, unansweredReason } from "./request.ts";
import type { Pending } from "./request.ts";

export interface OpenLoopOptions {
  readonly clock: Clock;
  /** Monotonic due times in microseconds, ascending. */
  readonly dueUs: Float64Array;
  readonly slots: number;
  readonly slotWaitUs: number;
  readonly timeoutUs: number;
  /** Behind the last due time; what has not ended by then is counted as unanswered. */
  readonly drainUs: number;
  /** Starts the request at a position of `dueUs`, now. */
  readonly send: (position: number, dueUs: number) => Pending;
  /** No slot became free in time. */
  readonly drop: (position: number, dueUs: number) => void;
  /** How late the scheduler itself came to a due time; waiting for a slot is not in it. */
  readonly onLateness: (latenessUs: number) => void;
  readonly signal: AbortSignal;
}

export interface OpenLoopResult {
  readonly startUs: number;
  readonly endUs: number;
  /** Requests of the schedule that came due before a stop. */
  readonly offered: number;
  readonly sent: number;
  readonly dropped: number;
  readonly timedOut: number;
  readonly unanswered: number;
  /** Started later than `lateAfterUs` after they were due, for whatever reason. */
  readonly late: number;
  readonly maxInFlight: number;
  /** Given up but still under way: settle some time, or never. */
  readonly leftOver: readonly Pending[];
}

/** A start is called late from here on: what a plain timer would be late anyway (rule 14). */
export const lateAfterUs = 1_000;

/** Runs the schedule; never rejects. */
export function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  return new OpenLoop(options).run();
}

interface Sent {
  readonly dueUs: number;
  readonly pending: Pending;
  ended: boolean;
  expired: boolean;
}

class OpenLoop {
  readonly #options: OpenLoopOptions;
  /** Next position that is not due yet. */
  #next = 0;
  /** Positions that are due and wait for a slot, first come first served. */
  readonly #waiting = new Queue<number>();
  /** In due order, because all have the same time limit. */
  readonly #sentOnes = new Queue<Sent>();
  #inFlight = 0;
  #counts = { offered: 0, sent: 0, dropped: 0, timedOut: 0, unanswered: 0, late: 0 };
  #maxInFlight = 0;
  readonly #leftOver = new Set<Pending>();
  /** When a stop cut the schedule off. */
  #lastDueUs: number | undefined;
  #finish: () => void = () => {};
  #finished = false;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
  }

  async run(): Promise<OpenLoopResult> {
    const { clock, signal } = this.#options;
    const startUs = clock.monotonicUs();
    const over = new Promise<void>((resolve) => {
      this.#finish = () => {
        this.#finished = true;
        resolve();
      };
    });
    const onAbort = (): void => {
      this.#turn();
    };
    signal.addEventListener("abort", onAbort);
    this.#turn();
    await over;
    signal.removeEventListener("abort", onAbort);
    return {
      startUs,
      endUs: clock.monotonicUs(),
      ...this.#counts,
      maxInFlight: this.#maxInFlight,
      leftOver: [...this.#leftOver],
    };
  }

  /** Does everything that is due and sleeps until the next thing is. */
  #turn(): void {
    if (this.#finished) return;
    const { clock, signal, dueUs } = this.#options;
    const nowUs = clock.monotonicUs();
    // Overdue ones first: a slot that becomes free late must not be given to them.
    this.#dropOverdue(nowUs);
    this.#expire(nowUs);
    this.#startDue(nowUs);
    this.#dropOverdue(nowUs);
    if (signal.aborted && this.#lastDueUs === undefined) this.#cutOff(nowUs);
    const dispatched = this.#next >= dueUs.length && this.#waiting.length === 0;
    if (dispatched && this.#inFlight === 0) {
      this.#finish();
      return;
    }
    if (dispatched && nowUs >= this.#drainEndUs()) {
      this.#giveUpOnTheRest();
      this.#finish();
      return;
    }
    const wakeUs = this.#nextWakeUs(dispatched);
    if (Number.isFinite(wakeUs)) this.#sleepUntil(wakeUs, nowUs);
  }

  /** After a stop nothing more is offered, and what waited for a slot was not. */
  #cutOff(nowUs: number): void {
    this.#lastDueUs = nowUs;
    this.#next = this.#options.dueUs.length;
    this.#counts.offered -= this.#waiting.length;
    while (this.#waiting.length > 0) this.#waiting.shift();
  }

  /** One timer at a time; an earlier reason to wake up replaces a later one. */
  #timer: { readonly atUs: number; readonly cancel: () => void } | undefined;

  #sleepUntil(wakeUs: number, nowUs: number): void {
    if (this.#timer !== undefined && this.#timer.atUs <= wakeUs) return;
    this.#timer?.cancel();
    const timer = this.#options.clock.schedule(Math.max(0, wakeUs - nowUs), () => {
      this.#timer = undefined;
      this.#turn();
    });
    this.#timer = {
      atUs: wakeUs,
      cancel: () => {
        timer.cancel();
      },
    };
  }

  #startDue(nowUs: number): void {
    const { dueUs, slots, signal, onLateness } = this.#options;
    if (signal.aborted) return;
    for (; this.#next < dueUs.length; this.#next += 1) {
      const due = dueUs[this.#next] ?? Infinity;
      if (due > nowUs) return;
      this.#counts.offered += 1;
      onLateness(nowUs - due);
      if (this.#inFlight < slots && this.#waiting.length === 0) this.#send(this.#next);
      else this.#waiting.push(this.#next);
    }
  }

  #send(position: number): void {
    const { dueUs, send, clock } = this.#options;
    const due = dueUs[position] ?? 0;
    if (clock.monotonicUs() - due > lateAfterUs) this.#counts.late += 1;
    this.#counts.sent += 1;
    this.#inFlight += 1;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
    const pending = send(position, due);
    const sent: Sent = { dueUs: due, pending, ended: false, expired: false };
    this.#sentOnes.push(sent);
    void pending.done.then(() => {
      this.#ended(sent);
    });
  }

  #ended(sent: Sent): void {
    sent.ended = true;
    this.#leftOver.delete(sent.pending);
    if (sent.expired || this.#finished) return;
    this.#inFlight -= 1;
    this.#startWaiting();
    if (this.#inFlight === 0) this.#turn();
  }

  #startWaiting(): void {
    if (this.#waiting.length > 0) this.#dropOverdue(this.#options.clock.monotonicUs());
    while (this.#waiting.length > 0 && this.#inFlight < this.#options.slots) {
      const position = this.#waiting.shift();
      if (position !== undefined) this.#send(position);
    }
  }

  /** A request given up frees its slot, as a caller that hangs up would. */
  #expire(nowUs: number): void {
    const { timeoutUs } = this.#options;
    for (;;) {
      const oldest = this.#sentOnes.peek();
      if (oldest === undefined) break;
      if (!oldest.ended && oldest.dueUs + timeoutUs > nowUs) break;
      this.#sentOnes.shift();
      if (oldest.ended) continue;
      this.#giveUp(oldest, timeoutReason);
      this.#counts.timedOut += 1;
    }
    this.#startWaiting();
  }

  #dropOverdue(nowUs: number): void {
    const { dueUs, slotWaitUs, drop } = this.#options;
    for (;;) {
      const position = this.#waiting.peek();
      const due = dueUs[position ?? -1];
      if (position === undefined || due === undefined || due + slotWaitUs > nowUs) return;
      this.#waiting.shift();
      this.#counts.dropped += 1;
      drop(position, due);
    }
  }

  #giveUpOnTheRest(): void {
    for (let sent = this.#sentOnes.shift(); sent !== undefined; sent = this.#sentOnes.shift()) {
      if (sent.ended) continue;
      this.#giveUp(sent, unansweredReason);
      this.#counts.unanswered += 1;
    }
  }

  #giveUp(sent: Sent, reason: string): void {
    sent.expired = true;
    this.#inFlight -= 1;
    this.#leftOver.add(sent.pending);
    sent.pending.expire(sent.dueUs + this.#options.timeoutUs, reason);
  }

  #drainEndUs(): number {
    const { dueUs, drainUs } = this.#options;
    return (this.#lastDueUs ?? dueUs.at(-1) ?? 0) + drainUs;
  }

  #nextWakeUs(dispatched: boolean): number {
    const { dueUs, slotWaitUs, timeoutUs } = this.#options;
    const waiting = this.#waiting.peek();
    const oldest = this.#sentOnes.peek();
    return Math.min(
      dueUs[this.#next] ?? Infinity,
      waiting === undefined ? Infinity : (dueUs[waiting] ?? 0) + slotWaitUs,
      oldest === undefined ? Infinity : oldest.dueUs + timeoutUs,
      dispatched ? this.#drainEndUs() : Infinity,
    );
  }
}

/** First in, first out, at constant cost. */
class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
