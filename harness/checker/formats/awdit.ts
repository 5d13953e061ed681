/**
 * @module AWDIT's test text: `r key value` or `w key value` a line, `---` between transactions, `===`
 * between sessions. All transactions are committed, and there is no initial value: what nobody wrote
 * cannot be read.
 *
 * Cannot say: aborted transactions (left out), unknown outcomes (`written.ts`), initial values (a
 * committed transaction that writes them is added, in a session of its own).
 */
import type { History } from "../history.ts";
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
import { isWritten } from "./written.ts";

class AwditParser implements HistoryParser {
  readonly #target: ParseTarget;
  readonly #lines: LineSplitter;
  #session = 1;
  #sessionIsUsed = false;
  #transactions = 0;
  #handle = -1;

  constructor(target: ParseTarget) {
    this.#target = target;
    this.#lines = new LineSplitter(target.file, (text, line) => this.#parse(text, line));
  }

  feed(chunk: Uint8Array): void {
    this.#lines.feed(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  position(): Position {
    return { line: this.#lines.line, column: 1 };
  }

  #parse(text: string, line: number): void {
    const operation = /^\s*([rw])\s+(\d+)\s+(\d+)\s*$/.exec(text);
    if (operation !== null) {
      const [, kind, key = "", value = ""] = operation;
      const handle = this.#current();
      if (kind === "r") this.#target.sink.read(handle, integerName(key), integerName(value));
      else this.#target.sink.write(handle, integerName(key), integerName(value));
      return;
    }
    const rest = text.trim();
    if (rest === "") return;
    if (/^-+$/.test(rest)) this.#handle = -1;
    else if (/^=+$/.test(rest)) this.#endSession();
    else throw this.#unexpected(text, line);
  }

  #endSession(): void {
    this.#handle = -1;
    if (this.#sessionIsUsed) this.#session += 1;
    this.#sessionIsUsed = false;
    this.#transactions = 0;
  }

  #current(): number {
    if (this.#handle >= 0) return this.#handle;
    this.#transactions += 1;
    this.#sessionIsUsed = true;
    const name = `${this.#session}.${this.#transactions}`;
    this.#handle = this.#target.sink.transaction(this.#session, name, "committed");
    return this.#handle;
  }

  #unexpected(text: string, line: number): FormatError {
    const fine = /^\s*([rw](\s+(\d+(\s+(\d+\s*)?)?)?)?)?|-+|=+/.exec(text)?.[0].length ?? 0;
    return new FormatError({
      file: this.#target.file,
      position: { line, column: fine + 1 },
      what: "expected r KEY VALUE or w KEY VALUE in numbers, a line of - or a line of =",
    });
  }
}

function* writeAwdit(history: History): Generator<string> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  const initial = new Set<number>();
  for (let index = 0; index < history.operationCount; index += 1) {
    const { kind, key, value } = history.operation(index);
    if (kind === "read" && value === initialValue) initial.add(key);
  }
  if (initial.size > 0) {
    for (const key of initial) yield `w ${numbers.key(key)} 0\n`;
    yield "=====\n";
  }
  for (let session = 0; session < history.sessionCount; session += 1) {
    if (session > 0) yield "=====\n";
    const end = history.sessionStart[session + 1] ?? 0;
    for (let one = history.sessionStart[session] ?? 0; one < end; one += 1) {
      if (!written(one) || history.statusOf(one) === "aborted") continue;
      let text = "";
      for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
        const { kind, key, value } = history.operation(index);
        text += `${kind === "read" ? "r" : "w"} ${numbers.key(key)} ${numbers.value(value)}\n`;
      }
      if (text !== "") yield `${text}-----\n`;
    }
  }
}

export const awdit: HistoryFormat = {
  name: "awdit",
  title: "AWDIT test text: r KEY VALUE per line, --- and === between",
  sniff: (head) => /^[\s=-]*[rw][ \t]+\d*/.test(headText(head.subarray(0, 4_096))),
  parser: (target) => new AwditParser(target),
  write: (history) => [{ suffix: "", chunks: writeAwdit(history) }],
};
