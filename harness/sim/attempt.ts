/**
 * @module One attempt of a request: two functions on two hosts, which may end, or stop for a while, before
 * any operation. The functions' body is the one that real platforms run.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import type { CommitOutcome, StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import { StateError } from "#shim/state/port.ts";
import { runOperations } from "#workloads/functions/body.ts";
import type { PlannedRequest } from "#workloads/port.ts";
import type { SimProcess } from "./process.ts";

/** Holds the stamp of any request drawn here. */
const valueBytes = 260;

/** Where functions run. */
export interface FunctionHost {
  readonly process: SimProcess;
  readonly system: StateSystem;
}

/** What is to happen to an attempt's functions; places count operations from 0, over both. */
export interface AttemptFate {
  readonly crashAt?: number;
  readonly stopAt?: number;
  readonly stopUs: number;
  /** Whoever invoked it does not wait so long. */
  readonly isGivenUp: boolean;
}

/** As the record has it, while it grows. */
export type GrowingRecord = {
  -readonly [Field in keyof RecordedTransaction]: RecordedTransaction[Field];
};

export type AttemptEnd =
  | { readonly kind: "ended"; readonly outcome: CommitOutcome }
  /** The functions ended without an answer to whoever invoked them. */
  | { readonly kind: "crashed" }
  | { readonly kind: "failed"; readonly error: StateError };

/** One for all: most places of most functions are passed by. */
const goOn = Promise.resolve();

/** A function's process ended here, on purpose. */
class FunctionCrash extends Error {}

/** Never rejects with what a function may meet; `record` grows meanwhile and then has the outcome. */
export async function runAttempt(options: {
  readonly request: PlannedRequest;
  readonly hosts: readonly [FunctionHost, FunctionHost];
  readonly fate: AttemptFate;
  readonly record: GrowingRecord;
  readonly operations: RecordedOperation[];
  /** True time, whatever the hosts' clocks say. */
  readonly trueClock: Clock;
}): Promise<AttemptEnd> {
  const { request, hosts, fate, record, operations, trueClock } = options;
  let step = 0;
  let session: StateSession | undefined;
  const checkpoint = (): Promise<void> => {
    const here = step;
    step += 1;
    if (here === fate.crashAt) return Promise.reject(new FunctionCrash());
    return here === fate.stopAt ? delay(trueClock, fate.stopUs) : goOn;
  };
  let context: StateContext | undefined;
  try {
    let sequenceBase = 0;
    let counted = 0;
    for (const [place, planned] of request.functions.entries()) {
      const { system } = hosts[place] ?? hosts[0];
      session =
        context === undefined
          ? system.begin({ requestId: request.requestId })
          : system.resume(context);
      record.transactionId = session.transactionId;
      const plan = { ...request, operations: planned, sequenceBase, valueBytes };
      await runOperations({ session, plan, clock: trueClock, recorded: operations, checkpoint });
      await checkpoint();
      for (let index = counted; index < operations.length; index += 1)
        if (operations[index]?.kind === "write") sequenceBase += 1;
      counted = operations.length;
      if (place < request.functions.length - 1)
        context = JSON.parse(JSON.stringify(await session.suspend())) as StateContext;
    }
    record.outcome = "unknown";
    const outcome = await (session?.commit() ?? Promise.reject(new FunctionCrash()));
    note(record, outcome);
    await checkpoint();
    return { kind: "ended", outcome };
  } catch (error) {
    if (error instanceof FunctionCrash) return { kind: "crashed" };
    if (!(error instanceof StateError)) throw error;
    record.reason = error.code;
    await session?.abort();
    return { kind: "failed", error };
  }
}

function note(record: GrowingRecord, outcome: CommitOutcome): void {
  record.outcome = outcome.kind;
  if (outcome.kind !== "committed") {
    record.reason = outcome.reason;
    return;
  }
  if (outcome.committedBy === undefined) {
    if (outcome.commitOrder !== undefined) record.commitOrder = outcome.commitOrder;
    return;
  }
  // Its request has committed, by another attempt: this one left nothing.
  record.outcome = "aborted";
  record.reason = `committed by ${outcome.committedBy}`;
}
