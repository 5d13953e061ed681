/**
 * @module CPU in virtual time. A process works off one job after another, as an event loop does, and needs a
 * core meanwhile; ready processes wait for cores in turn.
 *
 * Jobs take effect when they are over.
 */
import type { SimLoop } from "../loop.ts";

interface Job {
  readonly costUs: number;
  readonly task: () => void;
}

/** The cores of one machine. */
export class Cores {
  readonly #loop: SimLoop;
  #free: number;
  readonly #ready: Executor[] = [];

  /** @param count  Infinity: every process has a core of its own. */
  constructor(loop: SimLoop, count: number) {
    this.#loop = loop;
    this.#free = count;
  }

  worker(owner: number): Executor {
    return new Executor(this, owner);
  }

  /** A process has become ready, or goes on: behind those that wait already. */
  request(worker: Executor): void {
    this.#ready.push(worker);
    while (this.#free > 0) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      this.#run(next);
    }
  }

  #run(worker: Executor): void {
    const job = worker.next();
    if (job === undefined) return;
    this.#free -= 1;
    this.#loop.after(job.costUs, { kind: "load", owner: worker.owner, digest: 0 }, () => {
      this.#free += 1;
      job.task();
      if (worker.done(job.costUs)) this.request(worker);
      else this.#goOn();
    });
  }

  #goOn(): void {
    const next = this.#ready.shift();
    if (next !== undefined) this.#run(next);
  }
}

/** One single-threaded process. */
export class Executor {
  readonly owner: number;
  readonly #cores: Cores;
  readonly #jobs: Job[] = [];
  /** Jobs in front of it were worked off already; so that a long queue costs no shifting. */
  #first = 0;
  #isBusy = false;
  #busyUs = 0;

  constructor(cores: Cores, owner: number) {
    this.#cores = cores;
    this.owner = owner;
  }

  /** CPU used so far. */
  get busyUs(): number {
    return this.#busyUs;
  }

  get queued(): number {
    return this.#jobs.length - this.#first;
  }

  do(costUs: number, task: () => void): void {
    this.#jobs.push({ costUs, task });
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#cores.request(this);
  }

  /** For `Cores` only: takes the next job. */
  next(): Job | undefined {
    const job = this.#jobs[this.#first];
    if (job === undefined) return undefined;
    this.#first += 1;
    if (this.#first > 1_024 && this.#first > this.#jobs.length / 2) {
      this.#jobs.splice(0, this.#first);
      this.#first = 0;
    }
    return job;
  }

  /** For `Cores` only: a job is over; whether there is another one. */
  done(costUs: number): boolean {
    this.#busyUs += costUs;
    this.#isBusy = this.queued > 0;
    return this.#isBusy;
  }
}
