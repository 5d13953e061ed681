/**
 * @module dbcop's JSON: an array of sessions, each an array of transactions.
 *
 * A transaction is `{"events": […], "committed": true}` or the array of its events; an event is
 * `{"Read": {"variable": 0, "version": 1}}`, `{"Write": …}`, `["r", 0, 1]` or `["w", 0, 1]`. Version 0 or
 * null is the initial value.
 */
import type { History, TransactionStatus } from "../history.ts";
import { initialValue, type Name } from "../names.ts";
import { ElementScanner, parseJsonElement } from "./elements.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  headText,
  type ParseTarget,
  type Position,
} from "./format.ts";
import { numbersOf } from "./numbering.ts";
import { type ParsedOperation, SessionWriter } from "./session-writer.ts";
import { isWritten } from "./written.ts";

class DbcopJsonParser implements HistoryParser {
  readonly #file: string;
  readonly #scanner: ElementScanner;
  readonly #writer: SessionWriter;
  #seen = false;

  constructor(target: ParseTarget) {
    this.#file = target.file;
    this.#writer = new SessionWriter(target);
    this.#scanner = new ElementScanner(
      target.file,
      { depth: 2, openers: "[", closers: "]", edn: false },
      {
        element: (text, position) => this.#element(text, position),
        arrayEnd: (depth) => {
          this.#seen = true;
          if (depth === 2) this.#writer.nextSession();
        },
      },
    );
  }

  feed(chunk: Uint8Array): void {
    this.#scanner.feed(chunk);
  }

  end(): void {
    this.#scanner.end();
    if (!this.#seen) {
      const position = { line: 1, column: 1 };
      throw new FormatError({ file: this.#file, position, what: "there is no array of sessions" });
    }
    this.#writer.finish();
  }

  position(): Position {
    return this.#scanner.position();
  }

  #element(text: string, position: Position): void {
    const value = parseJsonElement(text, { file: this.#file, position });
    const fail = (what: string): FormatError =>
      new FormatError({ file: this.#file, position, what });
    let events: unknown = value;
    let status: TransactionStatus = "committed";
    if (!Array.isArray(value)) {
      const transaction = value as Record<string, unknown>;
      events = transaction["events"];
      const committed = transaction["committed"] ?? transaction["success"];
      if (typeof committed !== "boolean") throw fail('"committed" must be true or false');
      if (!committed) status = "aborted";
    }
    if (!Array.isArray(events)) throw fail('a transaction has "events"');
    const operations = events.map((event: unknown) => parseEvent(event, fail));
    this.#writer.transaction({ status, operations, position });
  }
}

function parseEvent(event: unknown, fail: (what: string) => FormatError): ParsedOperation {
  const parts = eventParts(event);
  if (parts === undefined) throw fail(`not an event: ${JSON.stringify(event).slice(0, 80)}`);
  const { kind, variable, version } = parts;
  const key = nameOf(variable);
  const value = version === null && kind === "read" ? null : nameOf(version);
  if (key === undefined || value === undefined)
    throw fail("variables and versions are whole numbers, zero or more, or text");
  return { kind, key, value };
}

function eventParts(
  event: unknown,
):
  | { readonly kind: "read" | "write"; readonly variable: unknown; readonly version: unknown }
  | undefined {
  if (Array.isArray(event)) {
    const [letter, variable, version = null] = event as unknown[];
    if (event.length > 3 || (letter !== "r" && letter !== "w")) return undefined;
    return { kind: letter === "r" ? "read" : "write", variable, version };
  }
  if (typeof event !== "object" || event === null) return undefined;
  const { Read: read, Write: write } = event as Record<string, unknown>;
  const inner = read ?? write;
  if (typeof inner !== "object" || inner === null) return undefined;
  const { variable, version = null } = inner as Record<string, unknown>;
  return { kind: read === undefined ? "write" : "read", variable, version };
}

function nameOf(value: unknown): Name | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function* writeDbcopJson(history: History, compact: boolean): Generator<string> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  yield "[";
  let sessions = 0;
  for (let session = 0; session < history.sessionCount; session += 1) {
    const transactions: string[] = [];
    const end = history.sessionStart[session + 1] ?? 0;
    for (let one = history.sessionStart[session] ?? 0; one < end; one += 1) {
      if (!written(one)) continue;
      const events: string[] = [];
      for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
        const { kind, key, value } = history.operation(index);
        const version = value === initialValue ? "null" : numbers.value(value);
        events.push(eventText({ kind, compact, variable: numbers.key(key), version }));
      }
      const committed = history.statusOf(one) !== "aborted";
      if (events.length > 0)
        transactions.push(`{"events":[${events.join(",")}],"committed":${committed}}`);
    }
    if (transactions.length === 0) continue;
    yield `${sessions === 0 ? "" : ","}\n[${transactions.join(",\n ")}]`;
    sessions += 1;
  }
  yield "\n]\n";
}

function eventText(event: {
  readonly kind: "read" | "write";
  readonly compact: boolean;
  readonly variable: string;
  readonly version: string;
}): string {
  const { kind, compact, variable, version } = event;
  if (compact) return `["${kind === "read" ? "r" : "w"}",${variable},${version}]`;
  const tag = kind === "read" ? "Read" : "Write";
  return `{"${tag}":{"variable":${variable},"version":${version}}}`;
}

export const dbcopJson: HistoryFormat = {
  name: "dbcop-json",
  title: 'dbcop JSON: [[{"events":[{"Read":{"variable":0,"version":1}}],"committed":true}]]',
  sniff: (head) =>
    /^\s*\[\s*(\]|\[\s*(\]|\{\s*"(events|committed)"|\[\s*(\{|\[)))/.test(headText(head)),
  parser: (target) => new DbcopJsonParser(target),
  write: (history) => [{ suffix: "", chunks: writeDbcopJson(history, false) }],
};

/** Read like the other; only written differently. */
export const dbcopCompactJson: HistoryFormat = {
  ...dbcopJson,
  name: "dbcop-json-compact",
  title: 'dbcop JSON with events as ["r",0,1]',
  sniff: () => false,
  write: (history) => [{ suffix: "", chunks: writeDbcopJson(history, true) }],
};
