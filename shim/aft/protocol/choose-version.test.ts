/**
 * Goal    `chooseVersion` is AFT Algorithm 1: the newest version that keeps a read set atomic.
 * Method  1. One hand case per clause of the paper, so that a failure names the clause.
 *         2. A property: agree with brute force over Definition 1 on any history.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseVersion, type ObservedSet, type VersionChoice } from "./choose-version.ts";
import { type CommitRecord, compareTransactionIds, type Key, key } from "./types.ts";

const [k, l, m] = [key("k"), key("l"), key("m")];

function commit(timestampUs: number, ...writeSet: Key[]): CommitRecord {
  return { id: { timestampUs, uuid: "u" }, writeSet: new Set(writeSet), requestId: "" };
}

function version(writer: CommitRecord): VersionChoice {
  return { kind: "version", writer };
}

describe("Algorithm 1, clause by clause", () => {
  it("gives NULL when nothing is known of the key and nothing is required (lines 1-2)", () => {
    expect(chooseVersion(k, new Map(), [])).toEqual({ kind: "absent" });
  });

  it("prefers the newest version (line 3)", () => {
    const [t1, t2] = [commit(1, k), commit(2, k)];
    expect(chooseVersion(k, new Map(), [t1, t2])).toEqual(version(t2));
  });

  it("breaks ties of the timestamp by uuid", () => {
    const a = { ...commit(1, k), id: { timestampUs: 1, uuid: "a" } };
    const b = { ...commit(1, k), id: { timestampUs: 1, uuid: "b" } };
    expect(compareTransactionIds(a.id, b.id)).toBeLessThan(0);
    expect(chooseVersion(k, new Map(), [a, b])).toEqual(version(b));
  });

  it("case 1: goes no older than a version cowritten with a key already read", () => {
    const [t1, t2] = [commit(1, k), commit(2, k, l)];
    const observed: ObservedSet = new Map([[l, t2]]);
    expect(chooseVersion(k, observed, [t1, t2])).toEqual(version(t2));
    expect(chooseVersion(k, observed, [t1])).toEqual({ kind: "noValidVersion" });
  });

  it("case 1: the newest cowriter is the bound, not the first found", () => {
    const [t1, t2, t3] = [commit(1, k, l), commit(2, k, m), commit(3, l)];
    const observed: ObservedSet = new Map([
      [l, t1],
      [m, t2],
    ]);
    expect(chooseVersion(k, observed, [t1, t2])).toEqual(version(t2));
    expect(chooseVersion(k, new Map([[m, t2]]), [t1, t3])).toEqual(version(t3));
  });

  it("case 2: skips a version cowritten with a key already read at an older one", () => {
    const [t1, t2] = [commit(1, k, l), commit(2, k, l)];
    expect(chooseVersion(k, new Map([[l, t1]]), [t1, t2])).toEqual(version(t1));
  });

  it("case 2: takes a version cowritten with a key read at a newer one", () => {
    const [t1, t2] = [commit(1, k, l), commit(2, l)];
    expect(chooseVersion(k, new Map([[l, t2]]), [t1])).toEqual(version(t1));
  });

  it("says that no version is valid rather than none exists (§3.6)", () => {
    const [t1, t2] = [commit(1, l), commit(2, k, l)];
    expect(chooseVersion(k, new Map([[l, t1]]), [t2])).toEqual({ kind: "noValidVersion" });
  });

  it("repeats the version read before, whatever came since (repeatable read)", () => {
    const [t1, t2] = [commit(1, k), commit(2, k)];
    expect(chooseVersion(k, new Map([[k, t1]]), [t1, t2])).toEqual(version(t1));
  });

  it("repeats absence, and does not let it be fractured (Deviation 2)", () => {
    const t1 = commit(1, k, l);
    expect(chooseVersion(k, new Map([[k, "absent" as const]]), [t1])).toEqual({ kind: "absent" });
    expect(chooseVersion(l, new Map([[k, "absent" as const]]), [t1])).toEqual({
      kind: "noValidVersion",
    });
  });
});

/** Few keys and few timestamps on purpose: collisions are where the bugs are. Oldest first. */
const arbCommits = fc
  .uniqueArray(
    fc.record({
      timestampUs: fc.nat({ max: 6 }),
      uuid: fc.constantFrom("a", "b"),
      writeSet: fc.uniqueArray(fc.constantFrom(k, l, m), { minLength: 1 }),
    }),
    { selector: (t) => `${t.timestampUs}/${t.uuid}`, maxLength: 8 },
  )
  .map((ts) =>
    ts
      .map(({ writeSet, ...id }): CommitRecord => ({
        id,
        writeSet: new Set(writeSet),
        requestId: "",
      }))
      .toSorted((a, b) => compareTransactionIds(a.id, b.id)),
  );

/** What to read next, and which commits the replica has heard of by then. */
const arbReads = fc.array(
  fc.record({
    target: fc.constantFrom(k, l, m),
    known: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  }),
  { maxLength: 6 },
);

interface Read {
  readonly target: Key;
  readonly writer: CommitRecord | "absent";
}

it("agrees with brute force over Definition 1, whatever the history and the read order", () => {
  const outcomes = new Set<VersionChoice["kind"]>();
  fc.assert(
    fc.property(arbCommits, arbReads, (commits, wanted) => {
      const reads: Read[] = [];
      for (const { target, known } of wanted) {
        const seenBefore = reads.find((read) => read.target === target)?.writer;
        const versions = commits.filter(
          (t, i) => t.writeSet.has(target) && (known[i] === true || t === seenBefore),
        );
        const observed: ObservedSet = new Map(reads.map((read) => [read.target, read.writer]));
        const choice = chooseVersion(target, observed, versions);
        outcomes.add(choice.kind);
        const oracle = versions
          .toReversed()
          .find((writer) => isAtomic([...reads, { target, writer }]));
        const chosen = choice.kind === "version" ? choice.writer : undefined;
        expect(chosen).toBe(oracle);
        if (choice.kind === "absent") {
          expect(isAtomic([...reads, { target, writer: "absent" }])).toBe(true);
          reads.push({ target, writer: "absent" });
        }
        if (chosen !== undefined) reads.push({ target, writer: chosen });
      }
    }),
    { numRuns: 10_000 },
  );
  // A generator that cannot reach an outcome proves nothing about it.
  expect(outcomes).toEqual(new Set(["absent", "version", "noValidVersion"]));
});

/** Definition 1, by the letter, with absence as the oldest version; a key has one version only. */
function isAtomic(reads: readonly Read[]): boolean {
  return reads.every(({ writer }) =>
    reads.every((other) => {
      const twin = reads.find((read) => read.target === other.target);
      if (twin?.writer !== other.writer) return false;
      if (writer === "absent" || !writer.writeSet.has(other.target)) return true;
      return other.writer !== "absent" && compareTransactionIds(other.writer.id, writer.id) >= 0;
    }),
  );
}
