/**
 * @module Operations as Jepsen records them, for Elle: invoke, then ok, fail or info, per process.
 *
 *   ok    committed; its reads count
 *   fail  aborted; only its writes count
 *   info  unknown; so is an invoke without an end. Only its writes count: what it read is not told
 *
 * Registers (`w`, `r`) are read directly, lists (`append`, `r` of a list) by `list-append.ts`. What a
 * process does is a session. Operations of others than numbered processes (nemesis) are skipped.
 */
import type { TransactionStatus } from "../history.ts";
import type { Name } from "../names.ts";
import { FormatError, type HistorySink, type ParseTarget, type Position } from "./format.ts";
import { ListAppends } from "./list-append.ts";

/** One map of the record; EDN keywords with or without their colon. */
export interface ElleOperation {
  readonly type: unknown;
  readonly process: unknown;
  readonly index: unknown;
  readonly value: unknown;
}

interface Step {
  readonly kind: "w" | "r" | "append";
  readonly key: Name;
  readonly value: unknown;
}

interface Invoked {
  readonly steps: readonly Step[];
  readonly name: Name;
  readonly position: Position;
}

const statuses: Readonly<Record<string, TransactionStatus>> = {
  ok: "committed",
  fail: "aborted",
  info: "unknown",
};

export class ElleHistory {
  readonly #file: string;
  readonly #sink: HistorySink;
  readonly #lists: ListAppends;
  readonly #open = new Map<number, Invoked>();
  #model: "registers" | "lists" | undefined;
  #count = 0;
  #skipped = 0;

  constructor({ file, sink }: ParseTarget) {
    this.#file = file;
    this.#sink = sink;
    this.#lists = new ListAppends(sink);
  }

  /** Throws `FormatError`. */
  operation(operation: ElleOperation, position: Position): void {
    const type = plain(operation.type);
    const process = operation.process;
    if (typeof process !== "number") {
      this.#skipped += 1;
      return;
    }
    const open = this.#open.get(process);
    const name = this.#nameOf(operation.index);
    if (type === "invoke") {
      if (open !== undefined)
        throw this.#error(position, `process ${process} invokes before its last operation ended`);
      this.#open.set(process, { steps: this.#steps(operation.value, position), name, position });
      return;
    }
    const status = typeof type === "string" ? statuses[type] : undefined;
    if (status === undefined)
      throw this.#error(position, "the type must be invoke, ok, fail or info");
    this.#open.delete(process);
    const own = operation.value === null || operation.value === undefined;
    if (own && open === undefined)
      throw this.#error(position, "it has neither a value nor an invoke");
    const steps = own ? (open?.steps ?? []) : this.#steps(operation.value, position);
    this.#emit({ process, name: open?.name ?? name, status, steps, position });
  }

  end(): void {
    for (const [process, { steps, name, position }] of this.#open)
      this.#emit({ process, name, status: "unknown", steps, position });
    this.#lists.end();
  }

  notes(): string[] {
    const notes = this.#lists.notes();
    if (this.#skipped > 0) notes.push(`${this.#skipped} operations of no numbered process skipped`);
    return notes;
  }

  #nameOf(index: unknown): Name {
    this.#count += 1;
    return typeof index === "number" ? index : `#${this.#count}`;
  }

  #emit(transaction: {
    readonly process: number;
    readonly name: Name;
    readonly status: TransactionStatus;
    readonly steps: readonly Step[];
    readonly position: Position;
  }): void {
    const { process, name, status, steps, position } = transaction;
    const handle = this.#sink.transaction(process, name, status);
    const reads = status === "committed";
    for (const { kind, key, value } of steps) {
      switch (kind) {
        case "w":
          this.#sink.write(handle, key, this.#name(value, position));
          break;
        case "append":
          this.#lists.append({ handle, status, name, key, element: this.#name(value, position) });
          break;
        case "r":
          if (!reads) break;
          if (Array.isArray(value)) this.#lists.read(handle, key, this.#list(value, position));
          else this.#sink.read(handle, key, value === null ? null : this.#name(value, position));
          break;
      }
    }
  }

  #steps(value: unknown, position: Position): Step[] {
    if (!Array.isArray(value)) throw this.#error(position, "the value is no list of [f key value]");
    return value.map((step: unknown) => {
      if (!Array.isArray(step) || step.length < 2 || step.length > 3)
        throw this.#error(position, "a step of the transaction is not [f key value]");
      const [given, key, written = null] = step as unknown[];
      const kind = kinds[String(plain(given))];
      if (kind === undefined)
        throw this.#error(position, `step ${String(given)} is none of w, r and append`);
      this.#decideModel(kind, written, position);
      return { kind, key: this.#name(key, position), value: written };
    });
  }

  /** Registers and lists in one history would need two meanings of a read. */
  #decideModel(kind: Step["kind"], value: unknown, position: Position): void {
    if (kind === "r" && value === null) return;
    const isList = kind === "append" || (kind === "r" && Array.isArray(value));
    const model = isList ? "lists" : "registers";
    this.#model ??= model;
    if (this.#model !== model)
      throw this.#error(position, "registers (w) and lists (append) in one history");
  }

  #list(values: readonly unknown[], position: Position): Name[] {
    return values.map((value) => this.#name(value, position));
  }

  #name(value: unknown, position: Position): Name {
    if (typeof value === "number" || typeof value === "string") return value;
    throw this.#error(position, "keys and values must be numbers or text");
  }

  #error(position: Position, what: string): FormatError {
    return new FormatError({ file: this.#file, position, what });
  }
}

const kinds: Readonly<Record<string, Step["kind"]>> = {
  w: "w",
  write: "w",
  r: "r",
  read: "r",
  append: "append",
};

/** A keyword without its colon. */
function plain(value: unknown): unknown {
  return typeof value === "string" && value.startsWith(":") ? value.slice(1) : value;
}
