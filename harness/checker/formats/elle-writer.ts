/**
 * @module A history as Jepsen would have recorded it: an invoke and an end per transaction, session
 * after session, so that nothing can be concluded from the order of lines of different processes.
 *
 * Cannot say: what an aborted or unknown transaction read.
 */
import type { History } from "../history.ts";
import { initialValue } from "../names.ts";

export interface WrittenOperation {
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly process: number;
  readonly index: number;
  readonly value: readonly (readonly [
    f: "r" | "w",
    key: string | number,
    value: string | number | null,
  ])[];
}

const ends = { committed: "ok", aborted: "fail", unknown: "info" } as const;

export function* elleOperations(history: History): Generator<WrittenOperation> {
  let index = 0;
  for (let one = 1; one < history.transactionCount; one += 1) {
    const process = history.sessionOf[one] ?? 0;
    const status = history.statusOf(one);
    const value: [f: "r" | "w", key: string | number, value: string | number | null][] = [];
    const end = history.end[one] ?? 0;
    for (let at = history.start[one] ?? 0; at < end; at += 1) {
      const { kind, key, value: seen } = history.operation(at);
      const known = kind === "write" || status === "committed";
      const shown = !known || seen === initialValue ? null : plain(history.valueText(seen));
      value.push([kind === "read" ? "r" : "w", plain(history.keyName(key)), shown]);
    }
    const invoked = value.map(([f, key, shown]) => [f, key, f === "r" ? null : shown] as const);
    yield { type: "invoke", process, index, value: invoked };
    yield { type: ends[status], process, index: index + 1, value };
    index += 2;
  }
}

/** A name of digits as the number it is. */
function plain(name: string): string | number {
  const value = Number(name);
  return Number.isSafeInteger(value) && String(value) === name ? value : name;
}
