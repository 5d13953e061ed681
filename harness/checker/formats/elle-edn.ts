/** @module Jepsen's history.edn: one map per operation, with or without a tag, or a vector of them. */
import type { History } from "../history.ts";
import { EdnError, type EdnValue, readEdn } from "./edn.ts";
import { ElementScanner, within } from "./elements.ts";
import { ElleHistory } from "./elle.ts";
import { elleOperations, type WrittenOperation } from "./elle-writer.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  headText,
  type ParseTarget,
  type Position,
} from "./format.ts";

class ElleEdnParser implements HistoryParser {
  readonly #file: string;
  readonly #scanner: ElementScanner;
  readonly #history: ElleHistory;

  constructor(target: ParseTarget) {
    this.#file = target.file;
    this.#history = new ElleHistory(target);
    this.#scanner = new ElementScanner(
      target.file,
      { depth: "lines-or-array", openers: "[(", closers: "])", edn: true },
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
    let value: EdnValue;
    try {
      value = readEdn(text);
    } catch (cause) {
      if (!(cause instanceof EdnError)) throw cause;
      const where = within(position, text, cause.at);
      throw new FormatError({ file: this.#file, position: where, what: cause.message, cause });
    }
    if (!(value instanceof Map))
      throw new FormatError({ file: this.#file, position, what: "an operation is a map" });
    this.#history.operation(
      {
        type: value.get(":type"),
        process: value.get(":process"),
        index: value.get(":index"),
        value: value.get(":value"),
      },
      position,
    );
  }
}

function* writeElleEdn(history: History): Generator<string> {
  for (const { type, process, index, value } of elleOperations(history))
    yield `{:type :${type}, :f :txn, :process ${process}, :index ${index}, :value ${steps(value)}}\n`;
}

function steps(value: WrittenOperation["value"]): string {
  const texts = value.map(([f, key, one]) => `[:${f} ${edn(key)} ${edn(one)}]`);
  return `[${texts.join(" ")}]`;
}

function edn(value: string | number | null): string {
  if (value === null) return "nil";
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

export const elleEdn: HistoryFormat = {
  name: "elle-edn",
  title: "Jepsen/Elle EDN: {:type :ok, :process 0, :value [[:w x 1]]}",
  sniff: (head) => /^(\s|;[^\n]*\n|[[(])*(#[\w.]+\s*)?\{\s*:\w/.test(headText(head)),
  parser: (target) => new ElleEdnParser(target),
  write: (history) => [{ suffix: "", chunks: writeElleEdn(history) }],
};
