/**
 * @module Lets the mishaps that were planned for an invocation happen, where they were planned.
 *
 * A death is one: the platform ends the instance, and nothing is aborted or closed. Where instances cannot
 * be ended the function throws past its session instead.
 */
import { type Clock, delay } from "#kit/clock.ts";
import type { InvocationContext } from "#harness/faas/port.ts";
import type { RecordedOperation } from "#harness/record/history.ts";
import { StateError, type StateSession } from "#shim/state/port.ts";
import type { PlannedOperation } from "../port.ts";
import { InjectedFailure, lastWords } from "./failures.ts";
import { type InvocationMishaps, type MishapKind, writesIn } from "./mishaps.ts";

const timeOutReason = "storage_timeout";

export class Enactment {
  /** What the function is to work with. */
  readonly session: StateSession;
  /** What has happened so far. */
  readonly injected: MishapKind[] = [];
  readonly #plan: InvocationMishaps;
  readonly #recorded: readonly RecordedOperation[];
  readonly #clock: Clock;
  readonly #invocation: Pick<InvocationContext, "die">;
  #operations = 0;

  constructor(options: {
    /** Absent: nothing happens. */
    readonly plan: InvocationMishaps | undefined;
    readonly session: StateSession;
    /** What the function has done so far. */
    readonly recorded: readonly RecordedOperation[];
    readonly clock: Clock;
    readonly invocation: Pick<InvocationContext, "die">;
  }) {
    const { plan = {}, session, recorded, clock, invocation } = options;
    this.#plan = plan;
    this.#recorded = recorded;
    this.#clock = clock;
    this.#invocation = invocation;
    this.session = plan.timeOut === undefined ? session : this.#impatient(session, plan.timeOut);
  }

  /** Before every operation. */
  async before(next: PlannedOperation): Promise<void> {
    const { pause, dieBeforeWrite } = this.#plan;
    const done = this.#writesDone();
    if (pause?.beforeOperation === this.#operations) {
      await delay(this.#clock, pause.us);
      this.injected.push("slow");
    }
    this.#operations += 1;
    if (dieBeforeWrite === undefined || dieBeforeWrite < done) return;
    if (dieBeforeWrite < done + writesIn(next)) await this.#die("die-between-writes");
  }

  /** After the commit, before the answer. */
  async afterCommit(): Promise<void> {
    if (this.#plan.dieAfterCommit === true) await this.#die("die-after-commit");
  }

  async #die(kind: MishapKind): Promise<never> {
    this.injected.push(kind);
    const { transactionId } = this.session;
    const words = lastWords({
      transactionId,
      writes: this.#writesDone(),
      injected: this.injected,
    });
    await this.#invocation.die?.(words);
    throw new InjectedFailure(words);
  }

  #writesDone(): number {
    return this.#recorded.filter(({ kind }) => kind === "write").length;
  }

  /** A session one of whose calls is made, and its answer not waited for. */
  #impatient(
    session: StateSession,
    timeOut: NonNullable<InvocationMishaps["timeOut"]>,
  ): StateSession {
    const write = timeOut === "commit" ? Infinity : timeOut.write;
    /** Whatever becomes of it, nobody looks any more. */
    const leave = (call: Promise<unknown>): void => {
      this.injected.push("storage-timeout");
      call.catch(() => {});
    };
    const put = <T>(count: number, call: () => Promise<T>): Promise<T> => {
      const done = this.#writesDone();
      if (write < done || write >= done + count) return call();
      leave(call());
      const message = "injected: the write was sent, and its answer is not waited for";
      const disposition = "retry";
      return Promise.reject(new StateError({ code: timeOutReason, disposition, message }));
    };
    return {
      transactionId: session.transactionId,
      get: (key) => session.get(key),
      getMany: (keys) => session.getMany(keys),
      put: (key, value) => put(1, () => session.put(key, value)),
      putMany: (entries) => put(entries.length, () => session.putMany(entries)),
      suspend: () => session.suspend(),
      commit: () => {
        if (timeOut !== "commit") return session.commit();
        leave(session.commit());
        return Promise.resolve({ kind: "unknown", reason: timeOutReason });
      },
      abort: () => session.abort(),
    };
  }
}
