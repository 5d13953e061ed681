/**
 * @module What a history format is: a push parser into a sink, a writer from a `History`, and a sniff.
 *
 *   1. A parser holds a bounded part of the input, whatever the input is: too long a line or element
 *      is an error, never a growing buffer.
 *   2. It either emits exactly what the input says or throws `FormatError`; `end` throws for an input
 *      that stops in the middle.
 *   3. It may be fed chunks of any size: the result does not depend on where they are cut.
 */
import { ProjectError } from "#kit/errors.ts";
import type { History, TransactionStatus } from "../history.ts";
import type { Name } from "../names.ts";

/** What parsers write to; `HistoryBuilder` is one. */
export interface HistorySink {
  /** Gives handles 0, 1, 2 … in order of declaration. */
  transaction(session: Name, name: Name, status: TransactionStatus): number;
  setStatus(handle: number, status: TransactionStatus): void;
  read(handle: number, key: Name, value: Name | null): void;
  write(handle: number, key: Name, value: Name): void;
}

/** One-based line and column (of text), or zero-based offset (of bytes). */
export type Position =
  { readonly line: number; readonly column: number } | { readonly offset: number };

/** The input is not what the format says, or not whole. */
export class FormatError extends ProjectError {
  readonly code = "bad_history";
  readonly disposition = "abort";
  readonly file: string;
  readonly position: Position;

  constructor(options: {
    readonly file: string;
    readonly position: Position;
    readonly what: string;
    readonly cause?: unknown;
  }) {
    const { file, position, what, cause } = options;
    super(`${file}:${showPosition(position)}: ${what}`, cause === undefined ? {} : { cause });
    this.file = file;
    this.position = position;
  }
}

export interface HistoryParser {
  /** The chunk may be reused by the caller afterwards. Throws `FormatError`. */
  feed(chunk: Uint8Array): void;
  /** Says that nothing follows. Throws `FormatError`. */
  end(): void;
  /** Of the operation that was emitted last. */
  position(): Position;
  /** What was left out or assumed, for the result; empty if nothing. Complete after `end`. */
  notes?(): readonly string[];
  /** Why a pass would not be a proof; undefined if nothing is missing. Complete after `end`. */
  gaps?(): string | undefined;
}

export interface ParseTarget {
  /** Named in errors, and in names of sessions where a file is a session. */
  readonly file: string;
  readonly sink: HistorySink;
}

/** One file of a history; most formats have one, without a suffix. */
export interface OutputFile {
  readonly suffix: string;
  readonly chunks: Iterable<string | Uint8Array>;
}

export interface HistoryFormat {
  readonly name: string;
  readonly title: string;
  /** All files given together are one history, one session each. */
  readonly manyFiles?: boolean;
  /** Whether an input that begins so is of this format; `head` is the whole input if it is short. */
  sniff(head: Uint8Array): boolean;
  parser(target: ParseTarget): HistoryParser;
  write(history: History): Iterable<OutputFile>;
}

export function showPosition(position: Position): string {
  return "offset" in position ? `byte ${position.offset}` : `${position.line}:${position.column}`;
}

/** The beginning of an input as text, for sniffs; bytes that are no text become U+FFFD. */
export function headText(head: Uint8Array): string {
  return new TextDecoder().decode(head);
}

/** Operations an input may hold: of plume text, whose shortest line has 11 bytes, never more. */
export function mostOperations(bytes: number): number {
  return Math.ceil(bytes / 11);
}

/** A whole decimal number as a name: a number where that is exact, canonical text beyond. */
export function integerName(digits: string): Name {
  return digits.length <= 15 ? Number(digits) : bigName(BigInt(digits));
}

export function bigName(value: bigint): Name {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value.toString();
}

/** A character for a message: printable, or as a number. */
export function showByte(byte: number | undefined): string {
  if (byte === undefined) return "the end";
  return byte > 32 && byte < 127
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}
