/**
 * @module Cuts JSON or EDN into elements without reading it as a whole: an element is a bracketed
 * value at a given depth below arrays. Its text is handed over; what is inside is not looked at.
 *
 * An element has at most `maxElementBytes`; outside elements there is nothing but white space, array
 * brackets and commas.
 */
import { FormatError, type Position, showByte } from "./format.ts";
import { concatenate } from "./lines.ts";

/** An element beyond this is refused: memory must not depend on the input. */
export const maxElementBytes = 16 * 1_048_576;

export interface ElementSyntax {
  /** Arrays that elements lie in; "lines-or-array": one array, or none and one element after another. */
  readonly depth: number | "lines-or-array";
  /** Of arrays. */
  readonly openers: string;
  readonly closers: string;
  /** EDN: `;` comments, `\c` characters, `#tag` before a map, no commas needed. */
  readonly edn: boolean;
}

export interface ElementSink {
  element(text: string, position: Position): void;
  /** An array at this depth (1 = outermost) was closed. */
  arrayEnd?(depth: number): void;
}

const quote = 34;
const backslash = 92;
const newline = 10;
const semicolon = 59;
const comma = 44;
const hash = 35;
const curlyOpen = 123;
const squareOpen = 91;
const isOpen = new Uint8Array(256);
const isClose = new Uint8Array(256);
for (const letter of "([{") isOpen[letter.charCodeAt(0)] = 1;
for (const letter of ")]}") isClose[letter.charCodeAt(0)] = 1;

type Mode = "outside" | "tag" | "inside" | "string" | "escape" | "character" | "comment";

export class ElementScanner {
  readonly #file: string;
  readonly #syntax: ElementSyntax;
  readonly #sink: ElementSink;
  #depth: number | undefined;
  #arrays = 0;
  /** The outermost array has been closed. */
  #finished = false;
  #wantsComma = false;
  #hasComma = false;
  #mode: Mode = "outside";
  #afterComment: Mode = "outside";
  #nested = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #line = 1;
  #lineStart = 0;
  #consumed = 0;
  #startLine = 1;
  #startColumn = 1;

  constructor(file: string, syntax: ElementSyntax, sink: ElementSink) {
    this.#file = file;
    this.#syntax = syntax;
    this.#sink = sink;
    this.#depth = syntax.depth === "lines-or-array" ? undefined : syntax.depth;
  }

  /** Where the element that was handed over last begins. */
  position(): Position {
    return { line: this.#startLine, column: this.#startColumn };
  }

  feed(chunk: Uint8Array): void {
    let from = this.#mode === "outside" ? -1 : 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (byte === newline) {
        this.#line += 1;
        this.#lineStart = this.#consumed + at + 1;
      }
      switch (this.#mode) {
        case "outside":
          if (this.#outside(byte, at)) from = at;
          break;
        case "tag":
          if (byte === curlyOpen) this.#begin();
          else if (byte <= 32 && byte !== 32)
            throw this.#unexpected(byte, at, "a map after its tag");
          break;
        case "inside":
          if (this.#inside(byte)) {
            this.#hand(chunk.subarray(from, at + 1));
            from = -1;
          }
          break;
        case "string":
          if (byte === quote) this.#mode = "inside";
          else if (byte === backslash) this.#mode = "escape";
          break;
        case "escape":
          this.#mode = "string";
          break;
        case "character":
          this.#mode = "inside";
          break;
        case "comment":
          if (byte === newline) this.#mode = this.#afterComment;
          break;
      }
    }
    this.#consumed += chunk.length;
    if (from >= 0 && this.#isInElement()) this.#keep(chunk.subarray(from));
  }

  end(): void {
    if (this.#isInElement()) {
      const what = "the input ends inside this element";
      throw this.#error({ line: this.#startLine, column: this.#startColumn }, what);
    }
    if (this.#arrays > 0) throw this.#here(0, "the input ends before its last ]");
  }

  #isInElement(): boolean {
    return (
      this.#mode !== "outside" && !(this.#mode === "comment" && this.#afterComment === "outside")
    );
  }

  /** Whether an element begins here. */
  #outside(byte: number, at: number): boolean {
    if (byte === 32 || byte === 9 || byte === newline || byte === 13) return false;
    if (this.#syntax.edn && byte === semicolon) {
      this.#afterComment = "outside";
      this.#mode = "comment";
      return false;
    }
    const isElement = byte === curlyOpen || (this.#syntax.edn && byte === hash);
    this.#depth ??= isElement ? 0 : 1;
    if (this.#arrays < this.#depth) return this.#between(byte, at);
    if (byte === comma && this.#arrays > 0 && !this.#hasComma) {
      if (!this.#wantsComma && !this.#syntax.edn) throw this.#unexpected(byte, at, "an element");
      this.#wantsComma = false;
      this.#hasComma = !this.#syntax.edn;
      return false;
    }
    if (isClose[byte] === 1 && this.#arrays > 0) {
      this.#close(byte, at);
      return false;
    }
    if (!isElement && byte !== squareOpen) throw this.#unexpected(byte, at, "an element");
    if (this.#wantsComma && this.#arrays > 0 && !this.#syntax.edn)
      throw this.#unexpected(byte, at, '"," or "]"');
    this.#startLine = this.#line;
    this.#startColumn = this.#consumed + at - this.#lineStart + 1;
    if (byte === hash) this.#mode = "tag";
    else this.#begin();
    return true;
  }

  /** Between arrays, above the elements. */
  #between(byte: number, at: number): boolean {
    const { openers, edn } = this.#syntax;
    if (byte === comma && this.#wantsComma) {
      this.#wantsComma = false;
      this.#hasComma = true;
    } else if (openers.includes(String.fromCharCode(byte)) && !this.#finished) {
      if (this.#wantsComma && !edn) throw this.#unexpected(byte, at, '"," or "]"');
      this.#arrays += 1;
      this.#hasComma = false;
    } else if (isClose[byte] === 1 && this.#arrays > 0) this.#close(byte, at);
    else throw this.#unexpected(byte, at, this.#finished ? "the end" : '"["');
    return false;
  }

  #close(byte: number, at: number): void {
    if (!this.#syntax.closers.includes(String.fromCharCode(byte)) || this.#hasComma)
      throw this.#unexpected(byte, at, "an element");
    this.#sink.arrayEnd?.(this.#arrays);
    this.#arrays -= 1;
    this.#wantsComma = this.#arrays > 0;
    if (this.#arrays === 0) this.#finished = true;
    // What follows the outermost array is an error, also where elements need none.
    if (this.#finished) this.#depth = Number.POSITIVE_INFINITY;
  }

  #begin(): void {
    this.#mode = "inside";
    this.#nested = 1;
  }

  /** Whether the element ends here. */
  #inside(byte: number): boolean {
    if (byte === quote) this.#mode = "string";
    else if (isOpen[byte] === 1) this.#nested += 1;
    else if (isClose[byte] === 1) {
      this.#nested -= 1;
      return this.#nested === 0;
    } else if (this.#syntax.edn && byte === backslash) this.#mode = "character";
    else if (this.#syntax.edn && byte === semicolon) {
      this.#afterComment = "inside";
      this.#mode = "comment";
    }
    return false;
  }

  #hand(last: Uint8Array): void {
    this.#keep(last);
    const bytes = this.#parts.length === 1 ? last : concatenate(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    this.#mode = "outside";
    this.#wantsComma = true;
    this.#hasComma = false;
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new FormatError({
        file: this.#file,
        position: this.position(),
        what: "this element is not text (UTF-8)",
        cause,
      });
    }
    this.#sink.element(text, this.position());
  }

  #keep(bytes: Uint8Array): void {
    this.#partBytes += bytes.length;
    if (this.#partBytes > maxElementBytes)
      throw this.#error(this.position(), `this element is longer than ${maxElementBytes} bytes`);
    // The caller may reuse its chunk; the last part is decoded before that.
    this.#parts.push(new Uint8Array(bytes));
  }

  #unexpected(byte: number, at: number, want: string): FormatError {
    return this.#here(at, `there is ${showByte(byte)} where ${want} must be`);
  }

  #here(at: number, what: string): FormatError {
    const column = this.#consumed + at - this.#lineStart + 1;
    return this.#error({ line: this.#line, column: Math.max(1, column) }, what);
  }

  #error(position: Position, what: string): FormatError {
    return new FormatError({ file: this.#file, position, what });
  }
}

/** An element as JSON. Integers that a double cannot hold are refused: two would become one. */
export function parseJsonElement(
  text: string,
  options: { readonly file: string; readonly position: Position },
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError({
      file: options.file,
      position: within(options.position, text, positionOf(cause)),
      what: `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  for (const big of text.matchAll(/[[,:]\s*-?(\d{16,})(?=\s*[,\]}])/g)) {
    if (Number.isSafeInteger(Number(big[1]))) continue;
    throw new FormatError({
      file: options.file,
      position: within(options.position, text, big.index + 1),
      what: `${big[1]} is no exact number in JSON; write it as text`,
    });
  }
  return value;
}

function positionOf(error: unknown): number {
  const found = error instanceof Error ? /position (\d+)/.exec(error.message) : null;
  return found === null ? 0 : Number(found[1]);
}

/** `offset` characters after the beginning of an element. */
export function within(start: Position, text: string, offset: number): Position {
  if (!("line" in start)) return start;
  const before = text.slice(0, offset);
  const lastLine = before.lastIndexOf("\n");
  if (lastLine < 0) return { line: start.line, column: start.column + offset };
  return { line: start.line + before.split("\n").length - 1, column: offset - lastLine };
}
