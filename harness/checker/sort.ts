/**
 * @module Operations from the order of arrival into the order of transactions.
 *
 * Two ways with one result. In the order of arrival a read mostly follows the write it saw closely, so
 * linking there finds the writer in the cache; linking after sorting costs a miss for each. That way is
 * taken when transactions arrived one after another and values are numbers written once; what it cannot
 * decide it leaves to `linkReads`.
 */
import { type Int32Blocks, Int32List } from "./int32-list.ts";
import { isDense, linkInitial, linkNobody, type WriteRange } from "./link.ts";
import { initialValue } from "./names.ts";
import { NumberedWrites } from "./write-table.ts";

/** Operations as they arrived, in runs of one transaction each. */
export interface Arrival {
  /** Transaction by handle. */
  readonly idOf: Int32Array;
  /** Whose each run is, and where it starts. */
  readonly handles: Int32Array;
  readonly starts: Int32Array;
  readonly code: Int32Blocks;
  readonly value: Int32Blocks;
}

export interface SortedOperations {
  readonly start: Int32Array;
  readonly code: Int32Array;
  readonly value: Int32Array;
  readonly link: Int32Array;
}

/** By transaction, stable: a counting sort of runs. Links are left at 0. */
export function sortOperations(arrival: Arrival): SortedOperations {
  const { idOf, handles } = arrival;
  const sorted = allocate(arrival);
  const next = sorted.start.slice();
  for (let run = 0; run < handles.length; run += 1) {
    const id = idOf[handles[run] as number] as number;
    const range = [arrival.starts[run] as number, endOf(arrival, run)] as const;
    const to = next[id] as number;
    arrival.code.copy(sorted.code, to, range);
    arrival.value.copy(sorted.value, to, range);
    next[id] = to + range[1] - range[0];
  }
  return sorted;
}

/**
 * Sorts and links in one pass; undefined where that cannot be done, and nothing has happened then.
 *
 * @param arrival  All values are numbers of their own.
 */
export function sortAndLink(
  arrival: Arrival,
  keyCount: number,
  writes: WriteRange,
): SortedOperations | undefined {
  if (!isDense(writes) || !isOneRunEach(arrival.handles)) return undefined;
  const sorted = allocate(arrival);
  const table = new NumberedWrites(writes.maxValue);
  const early = new Int32List();
  const linker = new RunLinker({ sorted, table, early, keyCount });
  for (let run = 0; run < arrival.handles.length; run += 1) {
    const id = arrival.idOf[arrival.handles[run] as number] as number;
    const end = endOf(arrival, run);
    let to = sorted.start[id] as number;
    for (let from = arrival.starts[run] as number; from < end;) {
      const [code, offset] = arrival.code.blockAt(from);
      const [value] = arrival.value.blockAt(from);
      const count = Math.min(end - from, code.length - offset);
      if (!linker.link(id, to, { code, value, offset, count })) return undefined;
      from += count;
      to += count;
    }
  }
  linkEarly(sorted, table, early);
  return sorted;
}

class RunLinker {
  readonly #sorted: SortedOperations;
  readonly #table: NumberedWrites;
  /** Reads whose writer has not arrived yet. */
  readonly #early: Int32List;
  readonly #lastWriter: Int32Array;
  readonly #lastWrite: Int32Array;

  constructor(parts: {
    readonly sorted: SortedOperations;
    readonly table: NumberedWrites;
    readonly early: Int32List;
    readonly keyCount: number;
  }) {
    this.#sorted = parts.sorted;
    this.#table = parts.table;
    this.#early = parts.early;
    this.#lastWriter = new Int32Array(parts.keyCount);
    this.#lastWrite = new Int32Array(parts.keyCount);
  }

  /** False if a value was written twice. */
  link(
    id: number,
    first: number,
    run: {
      readonly code: Int32Array;
      readonly value: Int32Array;
      readonly offset: number;
      readonly count: number;
    },
  ): boolean {
    const { code, value, link } = this.#sorted;
    const [table, lastWriter, lastWrite] = [this.#table, this.#lastWriter, this.#lastWrite];
    const { offset, count, code: codes, value: values } = run;
    for (let index = 0; index < count; index += 1) {
      const keyAndKind = codes[offset + index] as number;
      const seen = values[offset + index] as number;
      const to = first + index;
      code[to] = keyAndKind;
      value[to] = seen;
      const key = keyAndKind >> 1;
      if ((keyAndKind & 1) === 1) {
        if (lastWriter[key] === id) link[lastWrite[key] as number] = ~id;
        lastWriter[key] = id;
        lastWrite[key] = to;
        link[to] = id;
        if (table.insert(key, seen, to) >= 0) return false;
      } else if (seen === initialValue) {
        link[to] = linkInitial;
      } else {
        const writer = table.find(key, seen);
        link[to] = writer < 0 ? linkNobody : writer;
        if (writer < 0) this.#early.push(to);
      }
    }
    return true;
  }
}

function linkEarly(
  { code, value, link }: SortedOperations,
  table: NumberedWrites,
  early: Int32List,
): void {
  for (let index = 0; index < early.length; index += 1) {
    const at = early.at(index);
    const writer = table.find((code[at] as number) >> 1, value[at] as number);
    if (writer >= 0) link[at] = writer;
  }
}

/** Handles rise with every new transaction, so rising handles never repeat one. */
function isOneRunEach(handles: Int32Array): boolean {
  for (let run = 1; run < handles.length; run += 1)
    if ((handles[run] as number) <= (handles[run - 1] as number)) return false;
  return true;
}

function allocate(arrival: Arrival): SortedOperations {
  const { idOf, handles, starts } = arrival;
  const count = arrival.code.length;
  const start = new Int32Array(idOf.length + 2);
  for (let run = 0; run < handles.length; run += 1) {
    const slot = (idOf[handles[run] as number] as number) + 1;
    start[slot] = (start[slot] as number) + endOf(arrival, run) - (starts[run] as number);
  }
  for (let id = 1; id < start.length; id += 1)
    start[id] = (start[id] as number) + (start[id - 1] as number);
  return {
    start,
    code: new Int32Array(count),
    value: new Int32Array(count),
    link: new Int32Array(count),
  };
}

function endOf({ starts, code }: Arrival, run: number): number {
  return run + 1 < starts.length ? (starts[run + 1] as number) : code.length;
}
