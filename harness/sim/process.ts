/**
 * @module One life of a process: its clock, and the gate through which everything reaches it.
 *
 * Once killed nothing reaches it any more, so whatever it was in the middle of never goes on; what it
 * had sent is on its way all the same. While it is stopped (SIGSTOP) everything waits at the gate.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { EventKind } from "./event-queue.ts";
import type { SimLoop } from "./loop.ts";

/** Wall clocks begin here. */
const epochMs = 1_700_000_000_000;

/** The clocks of a machine; they outlive its processes. */
export interface MachineClock {
  /** How far the wall clock is off; may jump. */
  offsetMs: number;
  /** How much faster than true both clocks are. */
  readonly driftPpm: number;
}

export class SimProcess implements Clock {
  readonly name: string;
  /** Differs between all processes of a simulation, also of the same name. */
  readonly id: string;
  /** Its number in traces. */
  readonly owner: number;
  readonly prng: Prng;
  readonly #loop: SimLoop;
  readonly #machine: MachineClock;
  readonly #rate: number;
  #alive = true;
  #stopped = false;
  #catchingUp = false;
  #held: (() => void)[] = [];

  constructor(options: {
    readonly name: string;
    readonly id?: string;
    readonly owner: number;
    readonly loop: SimLoop;
    readonly machine: MachineClock;
    readonly prng: Prng;
  }) {
    this.name = options.name;
    this.id = options.id ?? options.name;
    this.owner = options.owner;
    this.prng = options.prng;
    this.#loop = options.loop;
    this.#machine = options.machine;
    this.#rate = 1 + options.machine.driftPpm / 1_000_000;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  nowMs(): number {
    return epochMs + this.#machine.offsetMs + Math.floor(this.monotonicUs() / 1_000);
  }

  monotonicUs(): number {
    return Math.floor(this.#loop.nowUs * this.#rate);
  }

  schedule(delayUs: number, task: () => void): Timer {
    const event = this.later(
      { kind: "timer", delayUs: delayUs / this.#rate, digest: delayUs },
      task,
    );
    return {
      cancel: () => {
        this.#loop.cancel(event);
      },
    };
  }

  defer(task: () => void): void {
    this.later({ kind: "timer", delayUs: 0, digest: 0 }, task);
  }

  /** Something that reaches this process after a true delay, unless it is dead by then. */
  later(
    what: { readonly kind: EventKind; readonly delayUs: number; readonly digest: number },
    task: () => void,
  ): ReturnType<SimLoop["after"]> {
    const { kind, delayUs, digest } = what;
    return this.#loop.after(delayUs, { kind, owner: this.owner, digest }, () => {
      this.receive(task);
    });
  }

  /** Something reaches it now; it waits while the process is stopped, and is lost if it is dead. */
  receive(task: () => void): void {
    if (!this.#alive) return;
    if (this.#stopped || this.#catchingUp) this.#held.push(task);
    else task();
  }

  kill(): void {
    this.#alive = false;
    this.#held = [];
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What waited happens now, one after another; what comes meanwhile waits behind it. */
  continue(): void {
    this.#stopped = false;
    if (this.#catchingUp || this.#held.length === 0) return;
    this.#catchingUp = true;
    this.#catchUp();
  }

  #catchUp(): void {
    const what = { kind: "timer", owner: this.owner, digest: 1 } as const;
    this.#loop.after(0, what, () => {
      const task = this.#stopped ? undefined : this.#held.shift();
      this.#catchingUp = task !== undefined;
      if (task === undefined) return;
      task();
      this.#catchUp();
    });
  }
}
