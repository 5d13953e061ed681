/** @module Elle's history as JSON: one object per operation and line, or an array of them. */
import type { History } from "../history.ts";
import { ElementScanner, parseJsonElement } from "./elements.ts";
import { ElleHistory } from "./elle.ts";
import { elleOperations } from "./elle-writer.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  headText,
  type ParseTarget,
  type Position,
} from "./format.ts";

class ElleJsonParser implements HistoryParser {
  readonly #file: string;
  readonly #scanner: ElementScanner;
  readonly #history: ElleHistory;

  constructor(target: ParseTarget) {
    this.#file = target.file;
    this.#history = new ElleHistory(target);
    this.#scanner = new ElementScanner(
      target.file,
      { depth: "lines-or-array", openers: "[", closers: "]", edn: false },
      { element: (text, position) => this.#element(text, position) },
    );
  }

  feed(chunk: Uint8Array): void {
    this.#scanner.feed(chunk);
  }

  end(): void {
    this.#scanner.end();
    this.#history.end();
  }

  position(): Position {
    return this.#scanner.position();
  }

  notes(): string[] {
    return this.#history.notes();
  }

  #element(text: string, position: Position): void {
    const value = parseJsonElement(text, { file: this.#file, position });
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new FormatError({ file: this.#file, position, what: "an operation is an object" });
    const { type, process, index, value: steps } = value as Record<string, unknown>;
    this.#history.operation({ type, process, index, value: steps }, position);
  }
}

function* writeElleJson(history: History): Generator<string> {
  for (const { type, process, index, value } of elleOperations(history))
    yield `${JSON.stringify({ type, f: "txn", process, index, value })}\n`;
}

export const elleJson: HistoryFormat = {
  name: "elle-json",
  title: 'Jepsen/Elle JSON: {"type":"ok","process":0,"value":[["w","x",1]]}',
  sniff: (head) => /^[\s[]*\{[^{}]*"(type|process)"\s*:/.test(headText(head)),
  parser: (target) => new ElleJsonParser(target),
  write: (history) => [{ suffix: "", chunks: writeElleJson(history) }],
};
