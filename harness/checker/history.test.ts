/**
 * Goal    What a builder collects is what the history holds, whatever the interleaving and the names.
 * Method  Hand cases; a property against a naive arrangement in objects.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DuplicateWriteError } from "./errors.ts";
import { type History, HistoryBuilder } from "./history.ts";
import { linkInitial, linkNobody } from "./link.ts";

/** Every transaction as text: session, name, status, operations. */
function show(history: History): string[] {
  const lines: string[] = [];
  for (let id = 1; id < history.transactionCount; id += 1) {
    const operations: string[] = [];
    const end = history.end[id] ?? 0;
    for (let index = history.start[id] ?? 0; index < end; index += 1) {
      const { kind, key, value } = history.operation(index);
      operations.push(`${kind} ${history.keyName(key)} ${history.valueText(value)}`);
    }
    const session = history.sessionName(history.sessionOf[id] ?? -1);
    const name = history.transactionName(id);
    lines.push(`${session} ${name} ${history.statusOf(id)}: ${operations.join(", ")}`);
  }
  return lines;
}

describe("HistoryBuilder", () => {
  it("sorts interleaved sessions and transactions, keeping program and session order", () => {
    const builder = new HistoryBuilder();
    const a = builder.transaction("s1", "a", "committed");
    const b = builder.transaction("s2", "b", "unknown");
    builder.write(b, "x", "one");
    builder.read(a, "y", null);
    const c = builder.transaction("s1", "c", "committed");
    builder.read(c, "x", "one");
    builder.write(a, "y", 7);
    builder.setStatus(c, "aborted");
    expect(show(builder.build())).toEqual([
      "s1 a committed: read y initial, write y 7",
      "s1 c aborted: read x one",
      "s2 b unknown: write x one",
    ]);
  });

  it("links reads to writes, to the initial value and to nobody", () => {
    const builder = new HistoryBuilder();
    const a = builder.transaction(1, 1, "committed");
    builder.write(a, 5, 1);
    builder.write(a, 5, 2);
    const b = builder.transaction(1, 2, "committed");
    for (const value of [1, 2, null, 3]) builder.read(b, 5, value);
    const { link } = builder.build();
    expect([...link]).toEqual([~1, 1, 0, 1, linkInitial, linkNobody]);
  });

  it("refuses a value written twice to one key, naming key, value and both transactions", () => {
    const builder = new HistoryBuilder();
    const a = builder.transaction(1, "first", "committed");
    const b = builder.transaction(2, "second", "aborted");
    builder.write(a, "x", 4);
    builder.write(b, "x", 4);
    expect(() => builder.build()).toThrow(
      expect.objectContaining({
        name: DuplicateWriteError.name,
        key: "x",
        value: "4",
        transactions: ["first", "second"],
      }),
    );
  });

  it("takes one value under two keys for two pairs", () => {
    const builder = new HistoryBuilder();
    const a = builder.transaction(1, 1, "committed");
    builder.write(a, 1, 9);
    builder.write(a, 2, 9);
    builder.read(a, 2, 9);
    expect(builder.build().link[2]).toBe(1);
  });
});

const arbName = fc.oneof(
  fc.nat({ max: 2 }),
  fc.constantFrom(-3, 5_000, 2 ** 20, 2 ** 31, 2 ** 40, 1.5, "1", "", "x"),
);

it("agrees with a naive arrangement, whatever the names and the interleaving", () => {
  const arbTransactions = fc.array(fc.record({ session: arbName, name: arbName }), {
    minLength: 1,
    maxLength: 8,
  });
  const arbOperations = fc.array(
    fc.record({ at: fc.nat(), key: arbName, value: fc.option(arbName), write: fc.boolean() }),
    { minLength: 10, maxLength: 60 },
  );
  let linked = 0;
  fc.assert(
    fc.property(arbTransactions, arbOperations, (transactions, operations) => {
      const builder = new HistoryBuilder();
      const written = new Set<string>();
      const naive = transactions.map(({ session, name }) => ({
        session,
        text: `${session} ${name} committed`,
        operations: [] as string[],
      }));
      const handles = transactions.map(({ session, name }) =>
        builder.transaction(session, name, "committed"),
      );
      const reads: string[] = [];
      for (const { at, key, value, write } of operations) {
        const transaction = at % transactions.length;
        const pair = JSON.stringify([key, value]);
        if (write && (value === null || written.has(pair))) continue;
        if (write) {
          written.add(pair);
          builder.write(handles[transaction] ?? 0, key, value ?? 0);
        } else {
          builder.read(handles[transaction] ?? 0, key, value);
          reads.push(pair);
        }
        const text = `${write ? "write" : "read"} ${key} ${value ?? "initial"}`;
        naive[transaction]?.operations.push(text);
      }
      const history = builder.build();
      const sessions = [...new Set(naive.map(({ session }) => session))];
      const expected = sessions.flatMap((session) =>
        naive
          .filter((transaction) => transaction.session === session)
          .map(({ text, operations: own }) => `${text}: ${own.join(", ")}`),
      );
      expect(show(history)).toEqual(expected);
      const found = [...history.link].filter(
        (link, index) => history.operation(index).kind === "read" && link >= 0,
      );
      expect(found.length).toBe(reads.filter((pair) => written.has(pair)).length);
      linked += found.length;
    }),
    { numRuns: 500 },
  );
  expect(linked).toBeGreaterThan(100);
});

it("sorts and links the same whether transactions arrive whole, in pieces, or before their writers", () => {
  const history = generateHistory({ interleave: false });
  expect(linksOf(generateHistory({ interleave: true }))).toEqual(linksOf(history));
});

it.each([0, 100, 1_000_000])("is the same with memory reserved for %i operations", (atMost) => {
  const history = generateHistory({ interleave: false, atMost });
  expect(linksOf(history)).toEqual(linksOf(generateHistory({ interleave: false })));
});

/** Three sessions that read from each other, from later writers, from nobody; whole or in pieces. */
function generateHistory(options: {
  readonly interleave: boolean;
  readonly atMost?: number;
}): History {
  const builder = new HistoryBuilder(options.atMost);
  const handles = Array.from({ length: 60 }, (_unused, at) =>
    builder.transaction(at % 3, at, "committed"),
  );
  const steps = handles.flatMap((handle, at) => [
    () => builder.write(handle, at % 7, at * 2 + 1),
    () => builder.read(handle, at % 7, at * 2 + 1),
    () => builder.write(handle, at % 7, at * 2 + 2),
    () => builder.read(handle, (at + 1) % 7, at < 59 ? (at + 1) * 2 + 2 : 1_000),
    () => builder.read(handle, (at + 6) % 7, at > 0 ? at * 2 - 1 : null),
  ]);
  const order = options.interleave
    ? [0, 1, 2, 3, 4].flatMap((step) => steps.filter((_unused, at) => at % 5 === step))
    : steps;
  for (const step of order) step();
  return builder.build();
}

/** What every operation is linked to, wherever the operations lie. */
function linksOf(history: History): unknown {
  const place: string[] = [];
  for (let id = 0; id < history.transactionCount; id += 1)
    for (let at = history.start[id] ?? 0; at < (history.end[id] ?? 0); at += 1)
      place[at] = `${id}.${at - (history.start[id] ?? 0)}`;
  const links = place.map((own, at) => {
    const link = history.link[at] ?? 0;
    const isRead = history.operation(at).kind === "read";
    return `${own} -> ${isRead && link >= 0 ? place[link] : link}`;
  });
  return { operations: show(history), links: links.toSorted() };
}
