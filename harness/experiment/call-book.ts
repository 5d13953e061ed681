/**
 * @module Storage calls that functions make, as each instance counts them and says with its answers.
 *
 * An instance counts from its start, and answers carry its sums so far; so an answer that is lost loses
 * nothing, except what an instance did between its last answer and its death.
 */
import type { Measurements } from "#harness/record/measurements.ts";
import type { StateCounters } from "#shim/state/port.ts";

type Sums = { -readonly [K in keyof StateCounters]: number };

export class CallBook {
  readonly #instances = new Map<string, StateCounters>();
  readonly #total = zero();
  readonly #measured = zero();
  #atBegin: StateCounters | undefined;

  /** What the function's instance has counted so far; `isNew`: this was its first invocation. */
  note(instance: string, counters: StateCounters, isNew: boolean): void {
    // One that is not new and was not heard of has worked for other cells before.
    const before = isNew ? zero() : (this.#instances.get(instance) ?? counters);
    this.#instances.set(instance, counters);
    add(this.#total, counters, before);
  }

  beginBlock(): void {
    this.#atBegin = { ...this.#total };
  }

  endBlock(): void {
    if (this.#atBegin !== undefined) add(this.#measured, this.#total, this.#atBegin);
    this.#atBegin = undefined;
  }

  /** Over the blocks; null: nobody has counted. */
  measured(): Measurements["storage"] {
    if (this.#instances.size === 0) return null;
    const { calls, bytesRead, bytesWritten } = this.#measured;
    return { calls, bytes: bytesRead + bytesWritten, bytesRead, bytesWritten };
  }
}

function zero(): Sums {
  return { calls: 0, bytesRead: 0, bytesWritten: 0 };
}

function add(sums: Sums, to: StateCounters, from: StateCounters): void {
  sums.calls += to.calls - from.calls;
  sums.bytesRead += to.bytesRead - from.bytesRead;
  sums.bytesWritten += to.bytesWritten - from.bytesWritten;
}
