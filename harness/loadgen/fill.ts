/**
 * @module Writes every key once before a run, through the platform and the system themselves, so
 * that reads find stamped values and caches start as they would.
 */
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import { type AttemptContext, runAttempt } from "./attempt.ts";
import { ProjectError } from "#kit/errors.ts";
import { type LoadSinks, maxAttempts } from "./request.ts";

/** Keys written by one transaction. */
const keysPerTransaction = 25;
/** Fill transactions under way at once. */
const parallel = 8;

/** The store could not be filled; nothing that follows would mean anything. */
export class FillError extends ProjectError {
  readonly code = "fill_failed";
  readonly disposition = "abort";
}

/** Rejects with `FillError`. The fill's transactions go to the history: they order what follows. */
export async function fill(
  options: AttemptContext & {
    readonly workload: Workload;
    /** Makes the ids of this fill unique in the run. */
    readonly label: string;
    readonly concurrency: number;
    readonly onTransaction: LoadSinks["onTransaction"];
  },
): Promise<void> {
  const { workload, label, onTransaction } = options;
  const keys = [...workload.keys()];
  const requests: PlannedRequest[] = [];
  for (let start = 0; start < keys.length; start += keysPerTransaction) {
    const part = keys.slice(start, start + keysPerTransaction);
    requests.push({
      requestId: `${label}${start}`,
      functions: [[{ kind: "writeMany", keys: part }]],
      writeSet: part.toSorted(),
      payloadSeed: start,
    });
  }
  const fillOne = async (request: PlannedRequest, client: number): Promise<void> => {
    let reason = "";
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const result = await runAttempt(options, request, { client, attempt });
      onTransaction(result.transaction);
      if (result.outcome === "committed") return;
      reason = result.reason ?? result.outcome;
      if (result.hopeless) break;
    }
    throw new FillError(`the store could not be filled: ${request.requestId}: ${reason}`);
  };
  // Each worker is a session of its own; -1 is what records had for all before that.
  const worker = async (index: number): Promise<void> => {
    for (let next = requests.pop(); next !== undefined; next = requests.pop())
      await fillOne(next, -2 - index);
  };
  const workers = Math.min(parallel, options.concurrency);
  await Promise.all(Array.from({ length: workers }, (_unused, index) => worker(index)));
}
