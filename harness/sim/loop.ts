/**
 * @module Virtual time: what happens next happens, and everything that follows from it, before time moves.
 *
 * Production code runs here on real promises, so between two events all of them must have settled.
 * No number of awaited promises is a sound wait for that, and a turn of Node's event loop for each
 * event (setImmediate) costs microseconds. What is both: what Node itself calls after each callback of its
 * event loop, `process._tickCallback`. It returns when no tick and no microtask is left, those that
 * others make included; but not from within one, so that events happen in ticks and callbacks of
 * the event loop. It also reports rejections that nobody handles, as it would after any callback. Code that runs here waits for no real I/O and has no timers of its own, which
 * `bench/tidy` sees to.
 *
 * Adapter: the only file of the simulator that knows of Node's queues.
 */
import type { Prng } from "#kit/prng.ts";
import { type EventKind, EventQueue, type SimEvent } from "./event-queue.ts";
import type { Trace } from "./trace.ts";

/** After so many events Node's own event loop gets its turn: signals, rejections, garbage. */
const eventsPerBreath = 8_192;

/** Undocumented, in every Node so far, and the runtime is pinned: half the cost of a tick behind a microtask. */
const { _tickCallback: settleAll } = process as unknown as { readonly _tickCallback: () => void };

export class SimLoop {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  readonly #ties: Prng | undefined;
  #nowUs = 0;
  #order = 0;
  #events = 0;

  /** With `ties` what falls on the same instant happens in an order drawn from it. */
  constructor(options: { readonly trace: Trace; readonly ties?: Prng | undefined }) {
    this.trace = options.trace;
    this.#ties = options.ties;
  }

  /** Microseconds since the start. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Something that happens after a delay; `task` must not throw. */
  after(
    delayUs: number,
    what: {
      readonly kind: EventKind;
      readonly owner: number;
      readonly digest: number;
      readonly plain?: boolean;
    },
    task: () => void,
  ): SimEvent {
    this.#order += 1;
    const { kind, owner, digest, plain = false } = what;
    const event: SimEvent = {
      timeUs: this.#nowUs + Math.max(0, Math.ceil(delayUs)),
      tie: this.#ties === undefined ? 0 : this.#ties.nextInt(4),
      order: this.#order,
      kind,
      owner,
      digest,
      plain,
      task,
    };
    this.#queue.push(event);
    return event;
  }

  cancel(event: SimEvent): void {
    this.#queue.cancel(event);
  }

  say(text: () => string): void {
    this.trace.say(this.#nowUs, text);
  }

  /** Lets time pass until an instant, or until `isOver`; rejects with what an event threw. */
  run(untilUs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        for (;;) {
          const event = this.#queue.peek();
          if (event === undefined || event.timeUs > untilUs || isOver()) {
            if (!isOver()) this.#nowUs = Math.max(this.#nowUs, untilUs);
            resolve();
            return;
          }
          this.#queue.pop();
          this.#nowUs = event.timeUs;
          this.#events += 1;
          this.trace.note(event);
          const { task } = event;
          event.task = undefined;
          try {
            task?.();
          } catch (error) {
            reject(error);
            return;
          }
          if (this.#events % eventsPerBreath === 0) {
            setImmediate(turn);
            return;
          }
          if (!event.plain) settleAll();
        }
      };
      // Whoever asks does so from within a promise's callback; a tick is none.
      process.nextTick(turn);
    });
  }

  /** Forgets everything that was going to happen. */
  clear(): void {
    this.#queue.clear();
  }
}

/** A turn of Node's event loop, in which unhandled rejections are reported. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
