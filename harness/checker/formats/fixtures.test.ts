/**
 * Goal    Each format means what its description says.
 * Method  Hand-written inputs; what they say, transaction by transaction; what is refused, and where.
 */
import { describe, expect, it } from "vitest";
import { FormatError, type Position } from "./format.ts";
import { parse, show } from "./testing.ts";

function refusal(name: string, input: string | Uint8Array): { what: string; at: Position } {
  try {
    parse(name, input);
  } catch (error) {
    if (error instanceof FormatError) {
      const what = error.message.replace(/^input:(\d+:\d+|byte \d+): /, "");
      return { what, at: error.position };
    }
    throw error;
  }
  throw new Error(`${name} accepted ${String(input)}`);
}

describe("plume", () => {
  it("orders sessions by first appearance and transactions by line", () => {
    const text = "w(1,5,7,3)\nw(2,6,9,4)\nr(1,5,9,8)\nw(2,7,7,3)\n";
    expect(show(parse("plume", text).history)).toEqual([
      "7 committed: w(1)=5 w(2)=7",
      "9 committed: w(2)=6",
      "9 committed: r(1)=5",
    ]);
  });

  it("takes transaction -1 as aborted, and only its writes", () => {
    const text = "r(1,0,1,-1)\nw(1,5,1,-1)\nr(1,5,2,9)\n";
    expect(show(parse("plume", text).history)).toEqual([
      "1 aborted: w(1)=5",
      "2 committed: r(1)=5",
    ]);
  });

  it("reads value 0 as the initial value and drops an initial transaction spelled out", () => {
    const text = "w(1,0,0,0)\nw(2,0,0,0)\nr(1,0,1,1)\nw(1,3,1,1)\n";
    expect(show(parse("plume", text).history)).toEqual(["1 committed: r(1)=initial w(1)=3"]);
    expect(show(parse("plume", "r(1,0,1,1)\nw(1,0,0,0)\n").history)).toHaveLength(1);
  });

  it("refuses other writes of 0: a read of 0 could be of either", () => {
    for (const text of [
      "w(1,5,1,1)\nw(1,0,1,1)\n",
      "w(1,5,1,1)\nw(1,0,1,2)\n",
      "w(1,5,1,1)\nw(1,0,2,2)\nw(1,6,2,2)\n",
      "w(1,5,1,1)\nw(1,0,1,-1)\n",
    ])
      expect(refusal("plume", text)).toMatchObject({
        what: expect.stringContaining("initial value") as string,
        at: { line: 2, column: 1 },
      });
  });

  it("keeps numbers beyond 2^53 apart", () => {
    const text = "w(18446744073709551615,1,1,1)\nw(18446744073709551614,1,1,1)\n";
    expect(show(parse("plume", text).history)).toEqual([
      "1 committed: w(18446744073709551615)=1 w(18446744073709551614)=1",
    ]);
  });

  it.each([
    ["r(-1,2,3,4)\n", 3, "a number"],
    ["r(1,2,3,-2)\n", 9, "-1"],
    ["w(1,2,3,4)\nr(1,2,3)\n", 8, '","'],
    ["r(1, 2,3,4)\n", 5, "a number"],
    ["x(1,2,3,4)\n", 1, "r(key"],
    ["r(1,2,3,4) \n", 11, "end of the line"],
    ["w(1,2,3,4", 10, '")"'],
    ["w(1,2,3,4)\nw(1,3,9,4)", 1, "session 9"],
    [`w(${"1".repeat(200)},1,1,1)`, 129, ""],
  ])("refuses %j at column %i", (text, column, what) => {
    const found = refusal("plume", text);
    expect(found.what).toContain(what);
    expect(found.at).toEqual({ line: text.trimEnd().split("\n").length, column });
  });
});

describe("awdit", () => {
  it("reads transactions between dashes and sessions between equals signs", () => {
    const text = "w 1 5\nw 2 6\n-----\nr 1 5\n=====\n--\n r 2 6 \n\n===\n===\nr 1 9\n";
    expect(show(parse("awdit", text).history)).toEqual([
      "1 committed: w(1)=5 w(2)=6",
      "1 committed: r(1)=5",
      "2 committed: r(2)=6",
      "3 committed: r(1)=9",
    ]);
  });

  it("has no initial value: 0 is a value like any", () => {
    expect(show(parse("awdit", "r 1 0").history)).toEqual(["1 committed: r(1)=0"]);
  });

  it.each([
    ["w 1 5\nr -1 2", 3],
    ["w 1 5\nr 1 x", 5],
    ["w 1 5\nq 1 2", 1],
    ["w 1 5\n--=", 1],
  ])("refuses %j", (text, column) => {
    expect(refusal("awdit", text).at).toEqual({ line: 2, column });
  });
});

describe("dbcop .hist", () => {
  it("reads transactions, sessions, comments, initial reads and uncommitted transactions", () => {
    const text =
      "// session 1\n[x:=1 y:=1] [z==2 z:=3]\n[y:=3]!\n---\n// session 2\n[a==? b:=3][x==0]\n";
    expect(show(parse("dbcop-hist", text).history)).toEqual([
      "1 committed: w(x)=1 w(y)=1",
      "1 committed: r(z)=2 w(z)=3",
      "1 aborted: w(y)=3",
      "2 committed: r(a)=initial w(b)=3",
      "2 committed: r(x)=initial",
    ]);
  });

  it.each([
    ["[x:=1\n", 2],
    ["[]\n", 2],
    ["[x=1]\n", 2],
    ["[x:=-1]\n", 2],
    ["[x:=1 y]\n", 7],
    ["x:=1\n", 1],
    ["[x:=1] nonsense\n", 8],
  ])("refuses %j", (text, column) => {
    expect(refusal("dbcop-hist", text).at).toEqual({ line: 1, column });
  });
});

describe("dbcop JSON", () => {
  it("reads tagged and compact events, aborted transactions, initial versions", () => {
    const text = `[
      [{"events":[{"Write":{"variable":0,"version":1}},{"Read":{"variable":1,"version":null}}],"committed":true},
       {"events":[["w",0,2]],"committed":false}],
      [], [[["r",0,1],["r",1,0]]]
    ]`;
    expect(show(parse("dbcop-json", text).history)).toEqual([
      "1 committed: w(0)=1 r(1)=initial",
      "1 aborted: w(0)=2",
      "3 committed: r(0)=1 r(1)=initial",
    ]);
  });

  it.each([
    ["[[{}]]", { line: 1, column: 3 }],
    ['[\n[{"events":[],"committed":true},\n{nonsense}]]', { line: 3, column: 2 }],
    ["[[1]]", { line: 1, column: 3 }],
    ['[[[["r",-1,1]]]]', { line: 1, column: 3 }],
    ['[[[["r",12345678901234567890,1]]]]', { line: 1, column: 9 }],
    ["[[[]],]", { line: 1, column: 7 }],
    ["[[[]]", { line: 1, column: 6 }],
    ["[] []", { line: 1, column: 4 }],
    ["", { line: 1, column: 1 }],
  ])("refuses %j", (text, at) => {
    expect(refusal("dbcop-json", text).at).toEqual(at);
  });
});

describe("dbcop bincode", () => {
  const u64 = (...values: number[]): number[] =>
    values.flatMap((value) => [value, 0, 0, 0, 0, 0, 0, 0]);
  const header = [...u64(1, 1, 2, 2, 3), ...u64(2), 104, 105, ...u64(0), ...u64(0)];
  const event = (write: number, key: number, value: number, success = 1): number[] => [
    write,
    ...u64(key, value),
    success,
  ];

  it("reads sessions, transactions, events and their success", () => {
    const bytes = Uint8Array.from([
      ...header,
      ...u64(2),
      ...u64(2),
      ...u64(2),
      ...event(1, 5, 1),
      ...event(0, 6, 0),
      1,
      ...u64(1),
      ...event(1, 5, 2, 0),
      0,
      ...u64(1),
      ...u64(3),
      ...event(0, 5, 1),
      ...event(0, 5, 9, 0),
      ...event(1, 6, 4, 0),
      1,
    ]);
    expect(show(parse("dbcop-bincode", bytes).history)).toEqual([
      "1 committed: w(5)=1 r(6)=initial",
      "1 aborted: w(5)=2",
      "2 aborted: w(6)=4",
      "2 committed: r(5)=1",
    ]);
    expect(refusal("dbcop-bincode", bytes.subarray(0, -1)).at).toEqual({
      offset: bytes.length - 1,
    });
    expect(refusal("dbcop-bincode", Uint8Array.from([...bytes, 7])).what).toContain("follows");
  });

  it("does not believe absurd counts", () => {
    const bytes = Uint8Array.from([...header, ...u64(1), ...u64(1), 0, 0, 0, 0, 0, 0, 0, 9]);
    expect(refusal("dbcop-bincode", bytes).what).toContain("events");
  });
});

describe("cobra", () => {
  const record = (letter: string, ...numbers: bigint[]): Buffer =>
    Buffer.concat([
      Buffer.from(letter),
      ...numbers.map((number) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64BE(number);
        return bytes;
      }),
    ]);
  const first = Buffer.concat([
    record("S", 1n),
    record("W", 11n, 5n, 0n),
    record("R", 0n, 0xbebeebeen, 6n, 0n),
    record("R", 0n, 0xdeadbeefn, 0xffffffffffffffffn, 0n),
    record("C", 1n),
  ]);
  const second = Buffer.concat([record("S", 2n), record("R", 1n, 11n, 5n, 0n), record("C", 2n)]);

  it("reads one session per file, and values by write id", () => {
    const files = new Map<string, Uint8Array>([
      ["T0.log", first],
      ["T1.log", second],
    ]);
    expect(show(parse("cobra", files).history)).toEqual([
      "T0.log committed: w(5)=11 r(6)=initial r(18446744073709551615)=initial",
      "T1.log committed: r(5)=11",
    ]);
  });

  it.each([
    [first.subarray(0, -9), 100],
    [first.subarray(0, -1), 100],
    [Buffer.concat([first, Buffer.from("A")]), 109],
    [Buffer.concat([record("S", 1n), record("S", 2n)]), 9],
    [Buffer.concat([record("S", 1n), record("C", 2n)]), 9],
    [record("C", 1n), 0],
  ])("refuses broken logs (%#)", (bytes, offset) => {
    expect(refusal("cobra", bytes).at).toEqual({ offset });
  });
});

describe("Elle", () => {
  const edn = [
    "{:type :invoke, :f :txn, :value [[:w :x 1] [:r 2 nil]], :process 0, :index 0}",
    "{:type :invoke, :f :txn, :value [[:w :x 2]], :process 1, :index 1}",
    "#jepsen.history.Op{:type :ok, :f :txn, :value [[:w :x 1] [:r 2 nil]], :process 0, :index 2}",
    '{:type :info, :f :start-partition, :process :nemesis, :value "} [ ; \\" "}',
    '{:type :fail, :f :txn, :value [[:w :x 2]], :process 1, :index 3, :error [:abort #inst "2026"]}',
    "{:type :invoke, :f :txn, :value [[:w :x 3] [:r :x nil]], :process 0, :index 4} ; open to the end",
    "{:type :invoke, :f :txn, :value [[:r :x nil]], :process 1, :index 5}",
    "{:type :info, :f :txn, :value nil, :process 1, :index 6}",
  ].join("\n");

  it("reads invoke, ok, fail, info and what never ended", () => {
    const { history, notes } = parse("elle-edn", edn);
    expect(show(history)).toEqual([
      "0 committed: w(:x)=1 r(2)=initial",
      "0 unknown: w(:x)=3",
      "1 aborted: w(:x)=2",
      "1 unknown: ",
    ]);
    expect(notes).toEqual(["1 operations of no numbered process skipped"]);
    expect(history.transactionName(1)).toBe("0");
  });

  it("reads a vector of maps, and JSON in lines or an array", () => {
    const one = '{"type":"ok","process":3,"value":[["w","x",1],["r","y",null]]}';
    const said = ["3 committed: w(x)=1 r(y)=initial"];
    expect(show(parse("elle-json", one).history)).toEqual(said);
    expect(show(parse("elle-json", `[${one}]`).history)).toEqual(said);
    expect(
      show(parse("elle-edn", '[{:type :ok :process 3 :value [[:w "x" 1] [:r "y" nil]]}]').history),
    ).toEqual(said);
  });

  it.each([
    ["{:type :ok, :process 0, :value [[:w 1 2]]", 1],
    ["{:type :ok, :process 0, :value [[:w 1]]]}", 40],
    ["{:type :maybe, :process 0, :value [[:w 1 2]]}", 1],
    ["{:type :ok, :process 0, :value [[:cas 1 2]]}", 1],
    ["{:type :ok, :process 0, :value nil}", 1],
    ["{:type :ok, :process 0, :value [[:w 1 2] [:append 1 2]]}", 1],
    ["{:type :ok, :process 0, :value 12}", 1],
    ["{:type :ok :process}", 1],
    ["17", 1],
  ])("refuses %j", (text, column) => {
    expect(refusal("elle-edn", text).at).toEqual({ line: 1, column });
  });
});

describe("our own record", () => {
  const line = (transaction: object): string =>
    JSON.stringify({
      requestId: "r",
      attempt: 0,
      transactionId: "t",
      session: 0,
      outcome: "committed",
      writeSet: [],
      operations: [],
      ...transaction,
    });
  const read = (key: string, from: string | null, fromSequence = 0) => ({
    kind: "read",
    key,
    from,
    fromSequence,
    startUs: 0,
    endUs: 0,
  });

  it("adds a writer that is not in the record, and says that a pass is no proof then", () => {
    const text = line({
      operations: [read("x", "ghost", 2), read("y", null), read("x", "ghost", 1)],
    });
    const { history, gaps } = parse("aft-bench", text);
    expect(show(history)).toEqual([
      "0 committed: r(x)=ghost:2 r(y)=initial r(x)=ghost:1",
      "ghost (not in the record) unknown: w(x)=ghost:1 w(x)=ghost:2",
    ]);
    expect(gaps).toContain("1 transactions");
  });

  it("has no gap when a writer is recorded after its reader", () => {
    const write = { kind: "write", key: "x", sequence: 0, startUs: 0, endUs: null };
    const text = [
      line({ operations: [read("x", "late")] }),
      line({ transactionId: "late", session: -1, outcome: "unknown", operations: [write] }),
    ].join("\n");
    const { history, gaps } = parse("aft-bench", text);
    expect(gaps).toBeUndefined();
    expect(show(history)).toEqual(["0 committed: r(x)=late:0", "alone late unknown: w(x)=late:0"]);
  });

  it.each(["{}", "[]", "{", line({ outcome: "maybe" }), line({ operations: [{ kind: "read" }] })])(
    "refuses %s",
    (text) => {
      expect(refusal("aft-bench", `\n${text}`).at).toMatchObject({ line: 2 });
    },
  );
});
