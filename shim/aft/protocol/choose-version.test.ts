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

describe("a reader that is far behind", () => {
  const behind = commit(1, k, l);
  /** Each written together with the key that was read before them, but one. */
  const newer = Array.from({ length: 500 }, (_unused, index) =>
    index === 100 ? commit(index + 2, k) : commit(index + 2, k, l),
  );
  const versionsOf = (of: Key): CommitRecord[] =>
    [behind, ...newer].filter((t) => t.writeSet.has(of));

  it("gets the newest version older than all it missed, without a look at each", () => {
    const observed: ObservedSet = new Map([[l, behind]]);
    expect(chooseVersion(k, observed, versionsOf(k), versionsOf)).toEqual(version(behind));
    expect(chooseVersion(k, observed, versionsOf(k))).toEqual(version(newer[100] ?? behind));
  });

  it("is not given what is older than it must see (case 1)", () => {
    // t is the only writer of m, and no older version of k will do.
    const t = commit(102.5, k, m);
    const known = (of: Key): CommitRecord[] =>
      [...versionsOf(of), ...(t.writeSet.has(of) ? [t] : [])].toSorted((a, b) =>
        compareTransactionIds(a.id, b.id),
      );
    const observed: ObservedSet = new Map([
      [l, newer[99] ?? behind],
      [m, t],
    ]);
    expect(chooseVersion(k, observed, known(k), known)).toEqual(version(t));
  });

  it("never gets a fractured read set", () => {
    const arbTold = fc.array(fc.uniqueArray(fc.constantFrom(k, l, m), { minLength: 1 }), {
      minLength: 70,
      maxLength: 200,
    });
    let far = 0;
    fc.assert(
      fc.property(arbTold, fc.nat({ max: 30 }), (told, at) => {
        const all = told.map((writeSet, index) => commit(index + 1, ...writeSet));
        const known = (of: Key): CommitRecord[] => all.filter((t) => t.writeSet.has(of));
        const reads: Read[] = [l, m].map((target) => ({
          target,
          writer: all.slice(0, at).findLast((t) => t.writeSet.has(target)) ?? "absent",
        }));
        const observed: ObservedSet = new Map(reads.map((read) => [read.target, read.writer]));
        const choice = chooseVersion(k, observed, known(k), known);
        const near = chooseVersion(k, observed, known(k));
        expect(choice.kind).toBe(near.kind);
        if (choice.kind !== "version" || near.kind !== "version") return;
        expect(isAtomic([...reads, { target: k, writer: choice.writer }])).toBe(true);
        if (choice.writer !== near.writer) far += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(far).toBeGreaterThan(0);
  });
});

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
