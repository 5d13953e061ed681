/** @module Collects the operations of a witness and writes it out, as data and as text. */
import type { History } from "./history.ts";
import { linkInitial } from "./link.ts";
import type { Anomaly, Witness, WitnessEdge, WitnessTransaction } from "./witness.ts";

export class WitnessWriter {
  readonly #history: History;
  /** Operations that matter, by transaction. */
  readonly #operations = new Map<number, Set<number>>();

  constructor(history: History) {
    this.#history = history;
  }

  /** A transaction, and one of its operations if given. */
  add(transaction: number, operation?: number): void {
    const known = this.#operations.get(transaction) ?? new Set();
    if (operation !== undefined) known.add(operation);
    this.#operations.set(transaction, known);
  }

  /** The transaction's last write of a key. */
  addWrite(transaction: number, key: number): void {
    const { start, end, code, link } = this.#history;
    for (let at = start[transaction] as number; at < (end[transaction] as number); at += 1)
      if (code[at] === key * 2 + 1 && link[at] === transaction) this.add(transaction, at);
  }

  /** The transaction's first read of a key from `source`, and what it saw. */
  addFirstRead(transaction: number, key: number, source: number): string {
    return this.#addRead(transaction, this.#readsOf(transaction, key, source).at(0));
  }

  addLastRead(transaction: number, key: number, source: number): string {
    return this.#addRead(transaction, this.#readsOf(transaction, key, source).at(-1));
  }

  #addRead(transaction: number, read: number | undefined): string {
    if (read === undefined) return "";
    this.add(transaction, read);
    return this.#history.valueText(this.#history.value[read] as number);
  }

  #readsOf(transaction: number, key: number, source: number): number[] {
    const { start, end, code, link } = this.#history;
    const reads: number[] = [];
    for (let at = start[transaction] as number; at < (end[transaction] as number); at += 1) {
      const linked = link[at] as number;
      if (code[at] !== key * 2) continue;
      if ((linked === linkInitial ? 0 : link[linked]) === source) reads.push(at);
    }
    return reads;
  }

  transactionOf(operation: number): number {
    const link = this.#history.link[operation] as number;
    return link < 0 ? ~link : link;
  }

  finish(options: {
    readonly anomaly: Anomaly;
    readonly title: string;
    readonly cycle: readonly WitnessEdge[];
    readonly support: readonly WitnessEdge[];
    readonly reason: string;
  }): Witness {
    const { anomaly, title, cycle, support, reason } = options;
    const transactions = [...this.#operations]
      .toSorted(([a], [b]) => a - b)
      .map(([id, operations]) => this.#transaction(id, operations));
    const lines = [
      title,
      ...transactions.filter(({ id }) => id !== 0).map((one) => `  ${describe(one)}`),
      ...[...support, ...cycle].map((edge) => `  ${this.#describeEdge(edge)}`),
      `  ${reason}`,
    ];
    return { anomaly, title, transactions, cycle, support, explanation: lines.join("\n") };
  }

  #transaction(id: number, operations: ReadonlySet<number>): WitnessTransaction {
    const history = this.#history;
    const start = history.start[id] as number;
    return {
      id,
      name: history.transactionName(id),
      session: history.sessionName(history.sessionOf[id] as number),
      status: history.statusOf(id),
      operations: [...operations]
        .toSorted((a, b) => a - b)
        .map((at) => {
          const { kind, key, value } = history.operation(at);
          return {
            index: at - start,
            kind,
            key: history.keyName(key),
            value: history.valueText(value),
          };
        }),
    };
  }

  #describeEdge({ from, to, rule, key, value, reader }: WitnessEdge): string {
    const name = (id: number): string => this.#history.transactionName(id);
    const order = `${name(from)} before ${name(to)}`;
    switch (rule) {
      case "so":
        return `${order}: same session`;
      case "init":
        return `${order}: the initial transaction precedes all`;
      case "wr":
        return `${order}: ${name(to)} reads ${key} = ${value} from ${name(from)}`;
      case "rw":
        return `${order}: ${name(to)} overwrites the ${key} that ${name(from)} reads`;
      case "forced": {
        const who = reader === undefined ? "" : name(reader);
        const what = to === 0 ? `${key} as initial` : `${key} = ${value} from ${name(to)}`;
        return `${order}: ${who} knows of ${name(from)}, which writes ${key}, but reads ${what}`;
      }
    }
  }
}

function describe({ name, session, status, operations }: WitnessTransaction): string {
  const shown = operations.map(
    ({ kind, key, value }) => `${kind === "read" ? "reads" : "writes"} ${key} = ${value}`,
  );
  const states = {
    committed: "",
    aborted: " (aborted)",
    unknown: " (outcome unknown; it was read from, so it counts as committed)",
  };
  const state = states[status];
  return `${name}${state} of session ${session}: ${shown.join(", ") || "…"}`;
}
