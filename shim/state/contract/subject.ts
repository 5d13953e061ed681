/** @module What the clauses of the state contract work with: two opened instances, and how to use them. */
import assert from "node:assert/strict";
import { type Clock, delay, type Timer } from "#kit/clock.ts";
import { type ContractClause, eventually } from "#kit/contract.ts";
import {
  type CommitOutcome,
  StateError,
  type StateContext,
  type StateSession,
  type StateSystem,
} from "../port.ts";
import type { StatePromise } from "../registry.ts";

/** How a system is put to the test. */
export interface StateContractSubject {
  readonly promises: readonly StatePromise[];
  /** Opens it once more over the same state, as a function in another process would. */
  readonly open: () => Promise<StateSystem>;
  readonly clock: Clock;
  /** The largest value it must take. */
  readonly largestValueBytes?: number;
  /** Without "session-order": how long after its commit a value may be missing somewhere. */
  readonly seenWithinMs?: number;
}

export interface StateUnderTest extends Required<StateContractSubject> {
  /** Functions run now here and now there. */
  readonly here: StateSystem;
  readonly there: StateSystem;
  /** A name nobody has used. */
  readonly fresh: (what: string) => string;
}

export type StateClause = ContractClause<StateUnderTest>;

const commitAttempts = 20;
/** Whoever is held back by locks is so for good, until the transaction beside it ends. */
const heldBackUs = 1_000_000;

/** Why a clause about a promise is skipped. */
export function unlessPromised(
  promise: StatePromise,
): (subject: StateUnderTest) => string | undefined {
  return ({ promises }) =>
    promises.includes(promise) ? undefined : `does not promise "${promise}"`;
}

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** Values as the text they were made of. */
export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** As it arrives in the next function. */
export async function passOn(session: StateSession): Promise<StateContext> {
  return JSON.parse(JSON.stringify(await session.suspend())) as StateContext;
}

/** Writes all in one transaction and commits it, as often as it takes. */
export async function write(
  subject: StateUnderTest,
  values: Readonly<Record<string, string>>,
  system: StateSystem = subject.there,
): Promise<{ readonly context: StateContext; readonly outcome: CommitOutcome }> {
  const requestId = subject.fresh("write");
  let outcome: CommitOutcome | undefined;
  for (let attempt = 0; attempt < commitAttempts; attempt += 1) {
    const session = system.begin({ requestId });
    const { transactionId } = session;
    for (const [key, value] of Object.entries(values))
      // A transaction whose write is refused has to be tried again; so says its commit.
      if ((await orRefused(session.put(key, bytes(value)))) === refused) break;
    outcome = await session.commit();
    const context = { system: system.name, requestId, transactionId, carried: {} };
    if (outcome.kind === "committed") return { context, outcome };
    await delay(subject.clock, 10_000);
  }
  return assert.fail(
    `${commitAttempts} attempts to write did not commit: ${JSON.stringify(outcome)}`,
  );
}

/** What a transaction that begins now reads; tried again while the system refuses to say. */
export async function look(
  { fresh, clock }: StateUnderTest,
  system: StateSystem,
  keys: readonly string[],
): Promise<(string | undefined)[]> {
  for (let attempt = 1; ; attempt += 1) {
    const session = system.begin({ requestId: fresh("look") });
    try {
      const values = await session.getMany(keys);
      const outcome = await session.commit();
      if (outcome.kind === "committed") return values.map(text);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await session.abort();
    }
    assert.ok(attempt < commitAttempts, "nothing can be read, however often it is tried");
    await delay(clock, 10_000);
  }
}

/** Both instances show these values, at once or some time later. */
export async function expectShown(
  subject: StateUnderTest,
  values: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const keys = Object.keys(values);
  for (const system of [subject.here, subject.there])
    await eventually(subject.clock, subject.seenWithinMs, async () => {
      assert.deepEqual(await look(subject, system, keys), Object.values(values));
    });
}

/** A refusal that leads to another attempt, which is no breach. */
export function isRefusal(error: unknown): boolean {
  return error instanceof StateError && error.disposition === "retry";
}

/** Its value, or `refused` where the system gives the transaction up. */
export async function orRefused<T>(call: Promise<T>): Promise<T | typeof refused> {
  try {
    return await call;
  } catch (error) {
    if (isRefusal(error)) return refused;
    throw error;
  }
}

export const refused = Symbol("refused");

/**
 * Does something beside an open transaction, and does not wait for long: a system may hold it back until
 * that transaction has ended. Await what it returns afterwards.
 */
export async function beside(
  { clock }: StateUnderTest,
  work: Promise<unknown>,
): Promise<() => Promise<void>> {
  const done = work.then(
    () => undefined,
    (error: unknown) => error,
  );
  let timer: Timer | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = clock.schedule(heldBackUs, resolve);
  });
  await Promise.race([done, enough]);
  timer?.cancel();
  return async () => {
    const error = await done;
    if (error !== undefined) throw error;
  };
}
