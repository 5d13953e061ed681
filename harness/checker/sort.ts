/**
 * @module Operations by transaction, from the order of arrival.
 *
 * Where every transaction arrived in one piece they stay where they are, and only their ranges are
 * noted: copying a history costs more than parsing it, most of it the first touch of fresh memory.
 */

/** Operations as they arrived, in runs of one transaction each. */
export interface Arrival {
  /** Transaction by handle. */
  readonly idOf: Int32Array;
  /** Whose each run is, and where it starts. */
  readonly handles: Int32Array;
  readonly starts: Int32Array;
  readonly code: Int32Array;
  readonly value: Int32Array;
}

export interface Operations {
  /** First operation of each transaction, and one past its last. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly code: Int32Array;
  readonly value: Int32Array;
}

/** Where the operations of each transaction lie; undefined if one came in several pieces. */
export function keepArrival(arrival: Arrival): Operations | undefined {
  const { idOf, handles, starts, code, value } = arrival;
  if (!isOneRunEach(handles)) return undefined;
  const start = new Int32Array(idOf.length + 1);
  const end = new Int32Array(idOf.length + 1);
  for (let run = 0; run < handles.length; run += 1) {
    const id = idOf[handles[run] as number] as number;
    start[id] = starts[run] as number;
    end[id] = endOf(arrival, run);
  }
  return { start, end, code, value };
}

/** By transaction, stable: a counting sort of runs. */
export function sortOperations(arrival: Arrival): Operations {
  const { idOf, handles, starts } = arrival;
  const end = new Int32Array(idOf.length + 1);
  for (let run = 0; run < handles.length; run += 1) {
    const id = idOf[handles[run] as number] as number;
    end[id] = (end[id] as number) + endOf(arrival, run) - (starts[run] as number);
  }
  const start = new Int32Array(end.length);
  for (let id = 1; id < end.length; id += 1) {
    start[id] = end[id - 1] as number;
    end[id] = (end[id] as number) + (start[id] as number);
  }
  const code = new Int32Array(arrival.code.length);
  const value = new Int32Array(arrival.code.length);
  const next = start.slice();
  for (let run = 0; run < handles.length; run += 1) {
    const id = idOf[handles[run] as number] as number;
    let to = next[id] as number;
    for (let from = starts[run] as number; from < endOf(arrival, run); from += 1, to += 1) {
      code[to] = arrival.code[from] as number;
      value[to] = arrival.value[from] as number;
    }
    next[id] = to;
  }
  return { start, end, code, value };
}

/** One past the last operation of a run. */
export function endOf({ starts, code }: Arrival, run: number): number {
  return run + 1 < starts.length ? (starts[run + 1] as number) : code.length;
}

/** Handles rise with every new transaction, so rising handles never repeat one. */
function isOneRunEach(handles: Int32Array): boolean {
  for (let run = 1; run < handles.length; run += 1)
    if ((handles[run] as number) <= (handles[run - 1] as number)) return false;
  return true;
}
