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

/** A call that waits for a commit's answer. */
class Wait {
  readonly dueUs: number;
  readonly resolve: (answer: CommitAnswer) => void;
  /** Absent once it was answered. */
  commit: CommitUnderWay | undefined;

  constructor(commit: CommitUnderWay, dueUs: number, resolve: (answer: CommitAnswer) => void) {
    this.commit = commit;
    this.dueUs = dueUs;
    this.resolve = resolve;
  }

  answer(answer: CommitAnswer): void {
    if (this.commit === undefined) return;
    this.commit = undefined;
    this.resolve(answer);
  }
}

/** One commit from the call until its outcome is known. */
export class CommitUnderWay {
  /** Why the outcome is not known yet. */
  doubt: Refusal | undefined;
  answer: CommitAnswer | undefined;
  waits: Wait[] = [];
}

/** So many that are answered may stand in front of the first that is not. */
const answeredAtMost = 256;

export class Commits {
  readonly #clock: Clock;
  readonly #boundUs: number;
  #underWay = 0;
  /** In the order in which they are due, which is nearly the order in which they are answered. */
  #waits: Wait[] = [];
  /** Of these, all before this one are answered. */
  #firstOpen = 0;
  #timer: Timer | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: { clock: Clock; boundMs: number }) {
    this.#clock = options.clock;
    this.#boundUs = options.boundMs * 1_000;
  }

  begin(): CommitUnderWay {
    this.#underWay += 1;
    return new CommitUnderWay();
  }

  /** To be called once for each commit that began. */
  settle(commit: CommitUnderWay, answer: CommitAnswer): void {
    this.#underWay -= 1;
    commit.answer = answer;
    for (const wait of commit.waits) wait.answer(answer);
    commit.waits = [];
    this.#forgetAnswered();
    if (this.#underWay > 0) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  /** The answer, or "unknown" when storage keeps it waiting; the commit itself goes on. */
  wait(commit: CommitUnderWay): MaybePromise<CommitAnswer> {
    if (commit.answer !== undefined) return commit.answer;
    return new Promise((resolve) => {
      const wait = new Wait(commit, this.#clock.monotonicUs() + this.#boundUs, resolve);
      commit.waits.push(wait);
      this.#waits.push(wait);
      this.#timer ??= this.#clock.schedule(this.#boundUs, () => {
        this.#giveUpDue();
      });
    });
  }

  /** Resolves when no commit is under way, or after the bound. */
  async idle(): Promise<void> {
    if (this.#underWay === 0) return;
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
    for (; this.#firstOpen < this.#waits.length; this.#firstOpen += 1) {
      const wait = this.#waits[this.#firstOpen];
      if (wait?.commit === undefined) continue;
      if (wait.dueUs > nowUs) break;
      const refusal = wait.commit.doubt ?? refuse(...silent);
      wait.answer({ kind: "unknown", refusal });
    }
    this.#waits = this.#waits.slice(this.#firstOpen);
    this.#firstOpen = 0;
    const [next] = this.#waits;
    this.#timer =
      next === undefined
        ? undefined
        : this.#clock.schedule(next.dueUs - nowUs, () => {
            this.#giveUpDue();
          });
  }

  /** What is kept until its time is over would live long enough for V8 to move it to where it collects seldom. */
  #forgetAnswered(): void {
    while (this.#waits[this.#firstOpen]?.commit === undefined) {
      if (this.#firstOpen >= this.#waits.length) break;
      this.#firstOpen += 1;
    }
    if (this.#firstOpen < answeredAtMost) return;
    this.#waits = this.#waits.slice(this.#firstOpen);
    this.#firstOpen = 0;
  }
}

const silent = [
  "storage_unavailable",
  "storage did not say in time whether the commit happened; ask again",
] as const;
