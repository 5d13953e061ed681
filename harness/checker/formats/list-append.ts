/**
 * @module Lists that are only appended to, as registers: so that they can be judged by the same levels.
 *
 * An append writes its element; a read of `[1 2 3]` reads element 3. What a list says beyond that is the
 * order of its elements, and that is stated by helper transactions, one for each pair of neighbours
 * written by different transactions A and B. Each, in a session of its own, reads a mark that only A
 * writes and then the key as B left it: at every level this forces A before B and nothing else.
 *
 *   1. Elements nobody has seen come after the longest list seen: lists are complete.
 *   2. A list that is no prefix of the longest one, or the other way round, never existed: it is given
 *      as the read of a value that nobody wrote.
 *   3. An element of the longest list that an aborted transaction appended, or nobody, is read by its
 *      helper.
 *
 * At PC, SI and SER the helpers are sessions more, so that "too large" comes earlier.
 */
import type { TransactionStatus } from "../history.ts";
import type { Name } from "../names.ts";
import type { HistorySink } from "./format.ts";

interface Append {
  readonly handle: number;
  readonly status: TransactionStatus;
  readonly name: Name;
}

interface List {
  /** The longest seen; every other is a prefix of it or impossible. */
  longest: readonly Name[];
  readonly writers: Map<Name, Append>;
  /** Last element a transaction appended, by its handle. */
  readonly lastOf: Map<number, Name>;
}

export class ListAppends {
  readonly #sink: HistorySink;
  readonly #lists = new Map<Name, List>();
  readonly #marked = new Set<number>();
  #helpers = 0;

  constructor(sink: HistorySink) {
    this.#sink = sink;
  }

  append(one: Append & { readonly key: Name; readonly element: Name }): void {
    const { handle, status, name, key, element } = one;
    const list = this.#listOf(key);
    list.writers.set(element, { handle, status, name });
    list.lastOf.set(handle, element);
    this.#sink.write(handle, key, element);
  }

  read(handle: number, key: Name, elements: readonly Name[]): void {
    const list = this.#listOf(key);
    const [longer, shorter] =
      elements.length > list.longest.length ? [elements, list.longest] : [list.longest, elements];
    const exists =
      new Set(elements).size === elements.length &&
      shorter.every((element, index) => longer[index] === element);
    if (exists) list.longest = longer;
    const last = exists ? (elements.at(-1) ?? null) : `[${elements.join(" ")}]`;
    this.#sink.read(handle, key, last);
  }

  /** States the orders; after the last operation. */
  end(): void {
    for (const [key, list] of this.#lists) {
      const { longest, writers } = list;
      for (const [index, element] of longest.entries())
        if (index > 0 || !writers.has(element))
          this.#order(key, list, [longest[index - 1], element]);
      const last = longest.at(-1);
      if (last === undefined) continue;
      const seen = new Set(longest);
      for (const [element, { status }] of writers)
        if (!seen.has(element) && status === "committed") this.#order(key, list, [last, element]);
    }
  }

  notes(): string[] {
    if (this.#helpers === 0) return [];
    return [`${this.#helpers} orders of list elements are stated by helper transactions`];
  }

  #listOf(key: Name): List {
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list: List = { longest: [], writers: new Map(), lastOf: new Map() };
    this.#lists.set(key, list);
    return list;
  }

  #order(
    key: Name,
    { writers, lastOf }: List,
    [earlier, later]: readonly [Name | undefined, Name],
  ): void {
    const before = earlier === undefined ? undefined : writers.get(earlier);
    const after = writers.get(later);
    if (before !== undefined && before.handle === after?.handle) return;
    this.#helpers += 1;
    const name = `order of ${key}: ${earlier ?? "nothing"} before ${later}`;
    const handle = this.#sink.transaction(name, name, "committed");
    if (before !== undefined) {
      const mark = `mark of ${before.name}`;
      if (!this.#marked.has(before.handle)) {
        this.#marked.add(before.handle);
        this.#sink.write(before.handle, mark, 1);
      }
      this.#sink.read(handle, mark, 1);
    }
    this.#sink.read(handle, key, after === undefined ? later : (lastOf.get(after.handle) ?? later));
  }
}
