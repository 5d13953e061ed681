/** @module Bytes into lines of text, with a bound on the length of one. */
import { FormatError } from "./format.ts";

/** A line beyond this is refused: memory must not depend on the input. */
export const maxLineBytes = 16 * 1_048_576;

const newline = 10;

/** Calls back with each line, without its end (LF or CR LF); UTF-8. */
export class LineSplitter {
  readonly #file: string;
  readonly #onLine: (text: string, line: number) => void;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #line = 0;

  constructor(file: string, onLine: (text: string, line: number) => void) {
    this.#file = file;
    this.#onLine = onLine;
  }

  /** Number of the line that was handed over last; one-based. */
  get line(): number {
    return this.#line;
  }

  feed(chunk: Uint8Array): void {
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#keep(chunk);
      return;
    }
    let whole = chunk.subarray(0, last);
    if (this.#partBytes > 0) {
      this.#parts.push(whole);
      whole = concatenate(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
    }
    this.#hand(whole);
    this.#keep(chunk.subarray(last + 1));
  }

  end(): void {
    if (this.#partBytes > 0) this.#hand(concatenate(this.#parts));
    this.#parts = [];
    this.#partBytes = 0;
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#partBytes += bytes.length;
    if (this.#partBytes > maxLineBytes) {
      const what = `the line is longer than ${maxLineBytes} bytes`;
      throw this.#error(this.#line + 1, maxLineBytes + 1, what);
    }
    this.#parts.push(new Uint8Array(bytes));
  }

  #hand(bytes: Uint8Array): void {
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw this.#notText(bytes, cause);
    }
    let from = 0;
    for (;;) {
      const end = text.indexOf("\n", from);
      const upTo = end < 0 ? text.length : end;
      this.#line += 1;
      this.#onLine(text.slice(from, text[upTo - 1] === "\r" ? upTo - 1 : upTo), this.#line);
      if (end < 0) return;
      from = end + 1;
    }
  }

  #notText(bytes: Uint8Array, cause: unknown): FormatError {
    let line = this.#line;
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(newline, from);
      const part = bytes.subarray(from, end < 0 ? bytes.length : end);
      line += 1;
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(part);
      } catch {
        return this.#error(line, 1, "the line is not text (UTF-8)", cause);
      }
      if (end < 0) return this.#error(line, 1, "the input is not text (UTF-8)", cause);
      from = end + 1;
    }
  }

  #error(line: number, column: number, what: string, cause?: unknown): FormatError {
    return new FormatError({ file: this.#file, position: { line, column }, what, cause });
  }
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
