/**
 * @module Cobra's logs: binary, big-endian, one file per client; all files are one history.
 *
 *   S txn8 · R prevtxn8 write8 key8 value8 · W write8 key8 value8 · C txn8
 *
 * A value is known by its write id. 0xbebeebee is the initial value, 0xdeadbeef "no value", which is
 * the same here. A file that ends inside a transaction is refused.
 *
 * Cannot say: aborted transactions (left out) and unknown outcomes (`written.ts`).
 */
import type { History } from "../history.ts";
import { initialValue, type Name } from "../names.ts";
import { ByteQueue } from "./byte-queue.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  type HistorySink,
  type OutputFile,
  type ParseTarget,
  type Position,
  showByte,
} from "./format.ts";
import { numbersOf } from "./numbering.ts";
import { isWritten } from "./written.ts";

const [start, read, write, commit] = [83, 82, 87, 67];
const sizes: Readonly<Record<number, number>> = {
  [start]: 9,
  [read]: 33,
  [write]: 25,
  [commit]: 9,
};
const initialWrite = 0xbebeebee;
const nullWrite = 0xdeadbeef;

class CobraParser implements HistoryParser {
  readonly #file: string;
  readonly #sink: HistorySink;
  readonly #queue = new ByteQueue();
  #handle = -1;
  #name: Name = "";
  #last = 0;

  constructor({ file, sink }: ParseTarget) {
    this.#file = file;
    this.#sink = sink;
  }

  feed(chunk: Uint8Array): void {
    const queue = this.#queue;
    queue.push(chunk);
    while (queue.available > 0) {
      const kind = queue.peek();
      const size = sizes[kind];
      if (size === undefined)
        throw this.#error(queue.offset, `there is ${showByte(kind)} where S, R, W or C must be`);
      if (queue.available < size) return;
      this.#record(kind);
    }
  }

  end(): void {
    const { available, offset } = this.#queue;
    if (available > 0) throw this.#error(offset, "the input ends inside this record");
    if (this.#handle >= 0)
      throw this.#error(offset, `the input ends inside transaction ${this.#name}`);
  }

  position(): Position {
    return { offset: this.#last };
  }

  #record(kind: number): void {
    const queue = this.#queue;
    this.#last = queue.offset;
    queue.skip(1);
    const number = (): Name => {
      const value = queue.u64(false);
      return typeof value === "number" ? value : value.toString();
    };
    if (kind === start) {
      if (this.#handle >= 0) throw this.#error(this.#last, "S inside a transaction");
      this.#name = number();
      this.#handle = this.#sink.transaction(this.#file, this.#name, "committed");
      return;
    }
    if (this.#handle < 0)
      throw this.#error(this.#last, `${showByte(kind)} outside of a transaction`);
    if (kind === commit) {
      const name = number();
      if (name !== this.#name)
        throw this.#error(this.#last, `C of transaction ${name} inside ${this.#name}`);
      this.#handle = -1;
      return;
    }
    if (kind === read) queue.skip(8);
    const writeId = number();
    const key = number();
    queue.skip(8);
    if (kind === write) this.#sink.write(this.#handle, key, writeId);
    else {
      const isInitial = writeId === initialWrite || writeId === nullWrite;
      this.#sink.read(this.#handle, key, isInitial ? null : writeId);
    }
  }

  #error(offset: number, what: string): FormatError {
    return new FormatError({ file: this.#file, position: { offset }, what });
  }
}

function* writeCobra(history: History): Generator<OutputFile> {
  for (let session = 0; session < history.sessionCount; session += 1)
    yield { suffix: `T${session}.log`, chunks: writeSession(history, session) };
}

function* writeSession(history: History, session: number): Generator<Uint8Array> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  const end = history.sessionStart[session + 1] ?? 0;
  for (let one = history.sessionStart[session] ?? 0; one < end; one += 1) {
    if (!written(one) || history.statusOf(one) === "aborted") continue;
    yield record(start, one);
    for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
      const { kind, key, value } = history.operation(index);
      const id = value === initialValue ? initialWrite : numbers.value(value);
      const keyNumber = numbers.key(key);
      yield kind === "read" ? record(read, 0, id, keyNumber, id) : record(write, id, keyNumber, id);
    }
    yield record(commit, one);
  }
}

function record(kind: number, ...numbers: readonly (number | string)[]): Uint8Array {
  const bytes = new Uint8Array(1 + 8 * numbers.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind;
  for (const [index, number] of numbers.entries())
    view.setBigUint64(1 + 8 * index, BigInt(number), false);
  return bytes;
}

export const cobra: HistoryFormat = {
  name: "cobra",
  title: "Cobra's binary logs, one file per client (give all files, or their directory)",
  manyFiles: true,
  sniff: (head) =>
    head[0] === start && (head.length <= 9 || [read, write, commit].includes(head[9] ?? 0)),
  parser: (target) => new CobraParser(target),
  write: writeCobra,
};
