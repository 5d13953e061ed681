/**
 * @module What a function of a workload does: its operations through a session, each recorded.
 *
 * The record is what anomalies are counted from; it is made here, from what was really read, and
 * never by the system under test.
 */
import type { Clock } from "#kit/clock.ts";
import type { RecordedOperation } from "#harness/record/history.ts";
import type { StateSession } from "#shim/state/port.ts";
import type { PlannedOperation } from "../port.ts";
import { decodeStamp, encodeValue } from "./value.ts";

/** What one function is to do, and what it needs to stamp its values. */
export interface FunctionPlan {
  readonly requestId: string;
  readonly operations: readonly PlannedOperation[];
  readonly writeSet: readonly string[];
  /** Writes of the functions before. */
  readonly sequenceBase: number;
  readonly payloadSeed: number;
  readonly valueBytes: number;
}

/**
 * Performs the operations in order, appending to `recorded` as it goes, so that a failure leaves
 * the record of what was done.
 *
 * @param checkpoint  Awaited before every operation: where a fault plan may end the function.
 */
export async function runOperations(options: {
  readonly session: StateSession;
  readonly plan: FunctionPlan;
  readonly clock: Clock;
  readonly recorded: RecordedOperation[];
  readonly checkpoint?: (next: PlannedOperation) => Promise<void>;
}): Promise<void> {
  const { session, plan, clock, recorded, checkpoint } = options;
  let sequence = plan.sequenceBase;
  const valueOf = (): Buffer =>
    encodeValue(
      {
        requestId: plan.requestId,
        transactionId: session.transactionId,
        writeSet: plan.writeSet,
        sequence,
      },
      plan.valueBytes,
      plan.payloadSeed + sequence,
    );
  for (const operation of plan.operations) {
    if (checkpoint !== undefined) await checkpoint(operation);
    const startUs = clock.monotonicUs();
    switch (operation.kind) {
      case "read": {
        const value = await session.get(operation.key);
        const endUs = clock.monotonicUs();
        recorded.push(readOf(operation.key, value, startUs, endUs));
        break;
      }
      case "readMany": {
        const values = await session.getMany(operation.keys);
        const endUs = clock.monotonicUs();
        for (const [index, key] of operation.keys.entries())
          recorded.push(readOf(key, values[index], startUs, endUs));
        break;
      }
      case "write": {
        const done = await session.put(operation.key, valueOf());
        const endUs = clock.monotonicUs();
        const { key } = operation;
        recorded.push({ kind: "write", key, sequence, startUs, endUs, ...noteOf(done) });
        sequence += 1;
        break;
      }
      case "writeMany": {
        const first = sequence;
        const entries = operation.keys.map((key): [string, Buffer] => {
          const entry: [string, Buffer] = [key, valueOf()];
          sequence += 1;
          return entry;
        });
        const done = await session.putMany(entries);
        const endUs = clock.monotonicUs();
        for (const [index, key] of operation.keys.entries())
          recorded.push({
            kind: "write",
            key,
            sequence: first + index,
            startUs,
            endUs,
            ...noteOf(done),
          });
        break;
      }
    }
  }
}

function noteOf(done: void | "replayed"): { readonly replayed?: true } {
  return done === "replayed" ? { replayed: true } : {};
}

/** Objects of one shape, made at once: this is run for every read of every run. */
function readOf(
  key: string,
  value: Uint8Array | undefined,
  startUs: number,
  endUs: number,
): RecordedOperation {
  if (value === undefined)
    return { kind: "read", key, from: null, fromSequence: -1, startUs, endUs };
  const { transactionId, sequence } = decodeStamp(value);
  return { kind: "read", key, from: transactionId, fromSequence: sequence, startUs, endUs };
}
