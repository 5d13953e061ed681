/** @module Histories as plain data, for tests of formats: random ones, and what a parser said. */
import fc from "fast-check";
import { type History, HistoryBuilder, type TransactionStatus } from "../history.ts";
import type { HistoryFormat } from "./format.ts";
import { formatOf } from "./registry.ts";

export interface PlainOperation {
  readonly kind: "read" | "write";
  readonly key: string;
  /** "initial" for the initial value. */
  readonly value: string;
}

export interface PlainTransaction {
  readonly session: string;
  readonly status: TransactionStatus;
  readonly operations: readonly PlainOperation[];
}

/** Without transaction names: not every format keeps them. */
export function plain(history: History): PlainTransaction[] {
  const transactions: PlainTransaction[] = [];
  for (let one = 1; one < history.transactionCount; one += 1) {
    const operations: PlainOperation[] = [];
    for (let at = history.start[one] ?? 0; at < (history.end[one] ?? 0); at += 1) {
      const { kind, key, value } = history.operation(at);
      operations.push({ kind, key: history.keyName(key), value: history.valueText(value) });
    }
    const session = history.sessionName(history.sessionOf[one] ?? -1);
    transactions.push({ session, status: history.statusOf(one), operations });
  }
  return transactions;
}

/** One line per transaction, for hand-written fixtures. */
export function show(history: History): string[] {
  return plain(history).map(({ session, status, operations }) => {
    const texts = operations.map(({ kind, key, value }) => `${kind[0]}(${key})=${value}`);
    return `${session} ${status}: ${texts.join(" ")}`;
  });
}

export interface Parsed {
  readonly history: History;
  readonly notes: readonly string[];
  readonly gaps: string | undefined;
}

/** Feeds files (of one history) in chunks of a size. Throws what the parser throws. */
export function parse(
  name: string,
  files: string | Uint8Array | ReadonlyMap<string, Uint8Array>,
  chunkBytes = 65_536,
): Parsed {
  const format = mustHave(name);
  const builder = new HistoryBuilder();
  const notes: string[] = [];
  let gaps: string | undefined;
  const inputs =
    files instanceof Map
      ? (files as ReadonlyMap<string, Uint8Array>)
      : new Map([["input", bytesOf(files as string | Uint8Array)]]);
  for (const [file, bytes] of inputs) {
    const parser = format.parser({ file, sink: builder });
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      // Overwritten afterwards: a parser must not keep the caller's chunk (a Buffer, as from a file).
      const chunk = Buffer.from(bytes.slice(at, at + chunkBytes));
      parser.feed(chunk);
      chunk.fill(0);
    }
    parser.end();
    notes.push(...(parser.notes?.() ?? []));
    gaps ??= parser.gaps?.();
  }
  return { history: builder.build(), notes, gaps };
}

/** The files a format writes, by suffix. */
export function written(name: string, history: History): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { suffix, chunks } of mustHave(name).write(history))
    files.set(suffix, new Uint8Array(Buffer.concat([...chunks].map((chunk) => bytesOf(chunk)))));
  return files;
}

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function mustHave(name: string): HistoryFormat {
  const format = formatOf(name);
  if (format === undefined) throw new RangeError(`no format ${name}`);
  return format;
}

export interface HistoryShape {
  readonly statuses: readonly TransactionStatus[];
  readonly initialReads: boolean;
}

/**
 * Histories with numbers as names, values unique, every transaction with an operation, aborted ones
 * with writes only, and unknown ones read by somebody: what all formats can say.
 */
export function arbHistory({ statuses, initialReads }: HistoryShape): fc.Arbitrary<History> {
  const operation = fc.record({
    write: fc.boolean(),
    key: fc.nat({ max: 3 }),
    pick: fc.nat({ max: 40 }),
  });
  const transaction = fc.record({
    status: fc.constantFrom(...statuses),
    operations: fc.array(operation, { minLength: 1, maxLength: 5 }),
  });
  return fc
    .array(fc.array(transaction, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
    .map((sessions) => {
      const builder = new HistoryBuilder();
      const values: number[] = [];
      let next = 1;
      for (const one of sessions.flat())
        for (const { write } of one.operations)
          if (write || one.status !== "committed") values.push(values.length + 1);
      let number = 0;
      for (const [session, transactions] of sessions.entries()) {
        for (const { status, operations } of transactions) {
          number += 1;
          const handle = builder.transaction(session, number, status);
          for (const { write, key, pick } of operations) {
            if (write || status !== "committed") {
              builder.write(handle, key, next);
              next += 1;
            } else {
              const isInitial = initialReads && pick === 0;
              builder.read(handle, key, isInitial ? null : (values[pick % values.length] ?? 1));
            }
          }
        }
      }
      return builder.build();
    });
}
