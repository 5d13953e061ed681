/**
 * @module dbcop's `.hist` text: `[x:=1 y==2 z==?]` is a transaction, `!` after it says that it did not
 * commit, `---` stands between sessions, `//` begins a comment line.
 *
 * `==?` reads the initial value, and so does `==0` (`initial-zero.ts`).
 */
import type { History, TransactionStatus } from "../history.ts";
import { initialValue } from "../names.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  headText,
  integerName,
  type ParseTarget,
  type Position,
} from "./format.ts";
import { LineSplitter } from "./lines.ts";
import { numbersOf } from "./numbering.ts";
import { type ParsedOperation, SessionWriter } from "./session-writer.ts";
import { isWritten } from "./written.ts";

const event = /[ \t]*([\p{Alphabetic}\p{N}_]+)(?::=(\d+)|==(\d+|\?))(?=[ \t\]])/uy;

class DbcopHistParser implements HistoryParser {
  readonly #file: string;
  readonly #lines: LineSplitter;
  readonly #writer: SessionWriter;

  constructor(target: ParseTarget) {
    this.#file = target.file;
    this.#writer = new SessionWriter(target);
    this.#lines = new LineSplitter(target.file, (text, line) => this.#parse(text, line));
  }

  feed(chunk: Uint8Array): void {
    this.#lines.feed(chunk);
  }

  end(): void {
    this.#lines.end();
    this.#writer.finish();
  }

  position(): Position {
    return { line: this.#lines.line, column: 1 };
  }

  #parse(text: string, line: number): void {
    const rest = text.trim();
    if (rest === "" || rest.startsWith("//")) return;
    if (/^-+$/.test(rest)) {
      this.#writer.nextSession();
      return;
    }
    let at = 0;
    for (;;) {
      while (text[at] === " " || text[at] === "\t") at += 1;
      if (at === text.length) return;
      at = this.#transaction(text, { line, at });
    }
  }

  /** One transaction; returns where it ends. */
  #transaction(text: string, from: { readonly line: number; readonly at: number }): number {
    const { line } = from;
    if (text[from.at] !== "[")
      throw this.#error(line, from.at, "expected [ of a transaction, --- or //");
    const operations: ParsedOperation[] = [];
    event.lastIndex = from.at + 1;
    for (;;) {
      const start = event.lastIndex;
      const found = event.exec(text);
      if (found === null) {
        const close = skipBlanks(text, start);
        if (text[close] !== "]" || operations.length === 0)
          throw this.#error(line, close, "expected KEY:=VALUE, KEY==VALUE or KEY==?");
        const committed = text[close + 1] !== "!";
        const status: TransactionStatus = committed ? "committed" : "aborted";
        this.#writer.transaction({ status, operations, position: { line, column: from.at + 1 } });
        return close + (committed ? 1 : 2);
      }
      const [, key = "", written, read = ""] = found;
      if (written !== undefined)
        operations.push({ kind: "write", key, value: integerName(written) });
      else operations.push({ kind: "read", key, value: read === "?" ? null : integerName(read) });
    }
  }

  #error(line: number, at: number, what: string): FormatError {
    return new FormatError({ file: this.#file, position: { line, column: at + 1 }, what });
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at += 1;
  return at;
}

function* writeDbcopHist(history: History): Generator<string> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  const names = keyNames(history);
  for (let session = 0; session < history.sessionCount; session += 1) {
    if (session > 0) yield "---\n";
    const end = history.sessionStart[session + 1] ?? 0;
    for (let one = history.sessionStart[session] ?? 0; one < end; one += 1) {
      if (!written(one)) continue;
      const events: string[] = [];
      for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
        const { kind, key, value } = history.operation(index);
        const text = value === initialValue ? "?" : numbers.value(value);
        events.push(`${names(key)}${kind === "read" ? "==" : ":="}${text}`);
      }
      const mark = history.statusOf(one) === "aborted" ? "!" : "";
      if (events.length > 0) yield `[${events.join(" ")}]${mark}\n`;
    }
  }
}

/** Identifiers; keys with other names are numbered. */
function keyNames(history: History): (key: number) => string {
  for (let key = 0; key < history.keyCount; key += 1)
    if (!/^\w+$/.test(history.keyName(key))) return (one) => `k${one}`;
  return (key) => history.keyName(key);
}

export const dbcopHist: HistoryFormat = {
  name: "dbcop-hist",
  title: "dbcop .hist text: [x:=1 y==2], --- between sessions",
  sniff: (head) => /^(\s|-+|\/\/[^\n]*\n)*\[\s*\w+(:=|==)/.test(headText(head)),
  parser: (target) => new DbcopHistParser(target),
  write: (history) => [{ suffix: "", chunks: writeDbcopHist(history) }],
};
