/**
 * @module Commits under way, and the calls that wait for their answers.
 *
 * A commit is pursued until its outcome is known, however long that takes; a call waits for it only
 * to a bound and then answers "unknown". All bounds are equally long, so those who wait form a
 * queue and one timer serves them all.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { CommitAnswer, MaybePromise, Refusal } from "./port.ts";
import { refuse } from "./refuse.ts";

/** One commit from the call until its outcome is known. */
export class CommitUnderWay {
  /** Why the outcome is not known yet. */
  doubt: Refusal | undefined;
  #answer: CommitAnswer | undefined;
  #listeners: ((answer: CommitAnswer) => void)[] = [];

  get answer(): CommitAnswer | undefined {
    return this.#answer;
  }

  /** Calls back with the answer, once. */
  onSettled(listener: (answer: CommitAnswer) => void): void {
    if (this.#answer === undefined) this.#listeners.push(listener);
    else listener(this.#answer);
  }

  settle(answer: CommitAnswer): void {
    this.#answer = answer;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(answer);
  }
}

interface Wait {
  readonly dueUs: number;
  /** Answers "unknown"; absent once the commit has answered. */
  giveUp: (() => void) | undefined;
}

export class Commits {
  readonly #clock: Clock;
  readonly #boundUs: number;
  readonly #underWay = new Set<CommitUnderWay>();
  #waits: Wait[] = [];
  #timer: Timer | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: { clock: Clock; boundMs: number }) {
    this.#clock = options.clock;
    this.#boundUs = options.boundMs * 1_000;
  }

  begin(): CommitUnderWay {
    const commit = new CommitUnderWay();
    this.#underWay.add(commit);
    return commit;
  }

  settle(commit: CommitUnderWay, answer: CommitAnswer): void {
    this.#underWay.delete(commit);
    commit.settle(answer);
    if (this.#underWay.size > 0) return;
    for (const resume of this.#whenIdle) resume();
    this.#whenIdle = [];
  }

  /** The answer, or "unknown" when storage keeps it waiting; the commit itself goes on. */
  wait(commit: CommitUnderWay): MaybePromise<CommitAnswer> {
    if (commit.answer !== undefined) return commit.answer;
    return new Promise((resolve) => {
      const wait: Wait = {
        dueUs: this.#clock.monotonicUs() + this.#boundUs,
        giveUp: () => {
          resolve({ kind: "unknown", refusal: commit.doubt ?? refuse(...silent) });
        },
      };
      this.#waits.push(wait);
      this.#timer ??= this.#clock.schedule(this.#boundUs, () => {
        this.#giveUpDue();
      });
      commit.onSettled((answer) => {
        wait.giveUp = undefined;
        resolve(answer);
      });
    });
  }

  /** Resolves when no commit is under way, or after the bound. */
  async idle(): Promise<void> {
    if (this.#underWay.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.schedule(this.#boundUs, resolve);
      this.#whenIdle.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Gives up whoever has waited too long, and looks again when the next one's time is over. */
  #giveUpDue(): void {
    const nowUs = this.#clock.monotonicUs();
    let first = 0;
    for (; first < this.#waits.length; first += 1) {
      const wait = this.#waits[first];
      if (wait?.giveUp === undefined) continue;
      if (wait.dueUs > nowUs) break;
      wait.giveUp();
    }
    this.#waits = this.#waits.slice(first);
    const [next] = this.#waits;
    this.#timer =
      next === undefined
        ? undefined
        : this.#clock.schedule(next.dueUs - nowUs, () => {
            this.#giveUpDue();
          });
  }
}

const silent = [
  "storage_unavailable",
  "storage did not say in time whether the commit happened; ask again",
] as const;
