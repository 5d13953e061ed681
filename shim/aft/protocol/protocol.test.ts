/**
 * Goal    Supersedence (Algorithm 2), commit planning, names and records do what the paper and their
 *         headers say.
 * Method  Clause by clause; properties against dumb oracles.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { storageKey } from "#shim/storage/port.ts";
import { createNames, escapeKey, unescapeKey } from "./names.ts";
import { planCommit } from "./plan-commit.ts";
import { CorruptRecordError, decodeOutcome, encodeOutcome } from "./record-codec.ts";
import { isSuperseded } from "./superseded.ts";
import {
  type CommitRecord,
  compareTransactionIds,
  isTransactionUuid,
  type Key,
  key,
  uuidTimeMs,
} from "./types.ts";
import { VersionIndex } from "./version-index.ts";

const [k, l] = [key("k"), key("l")];
const uuid = "01890000-0000-7000-8000-000000000001";

function commit(timestampUs: number, ...writeSet: Key[]): CommitRecord {
  return {
    id: { timestampUs, uuid: `u${timestampUs}` },
    writeSet: new Set(writeSet),
    requestId: "",
  };
}

describe("Algorithm 2", () => {
  it("is superseded when every key has a newer version", () => {
    const index = new VersionIndex();
    const old = commit(1, k, l);
    index.add(old);
    index.add(commit(2, k));
    expect(isSuperseded(old, index)).toBe(false);
    index.add(commit(3, l));
    expect(isSuperseded(old, index)).toBe(true);
  });

  it("treats an empty write set as superseded at once", () => {
    expect(isSuperseded(commit(1), new VersionIndex())).toBe(true);
  });

  it("may be superseded from birth, by a clock that lags", () => {
    const index = new VersionIndex();
    index.add(commit(5, k));
    const late = commit(4, k);
    expect(index.add(late)).toEqual([late]);
  });

  it("is kept up to date by the index, whatever the order of arrival", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.record({
            timestampUs: fc.integer({ min: 1, max: 9 }),
            writeSet: fc.uniqueArray(fc.constantFrom(k, l, key("m")), { minLength: 1 }),
          }),
          { selector: ({ timestampUs }) => timestampUs, maxLength: 9 },
        ),
        (drawn) => {
          const index = new VersionIndex();
          const announced = new Set<CommitRecord>();
          const records = drawn.map(({ timestampUs, writeSet }) =>
            commit(timestampUs, ...writeSet),
          );
          for (const record of records) {
            for (const superseded of index.add(record)) {
              expect(announced.has(superseded)).toBe(false);
              announced.add(superseded);
            }
            const known = records.slice(0, records.indexOf(record) + 1);
            for (const one of known) expect(announced.has(one)).toBe(isSuperseded(one, index));
          }
          for (const one of [k, l]) {
            const versions = index.versionsOf(one);
            const sorted = versions.toSorted((a, b) => compareTransactionIds(a.id, b.id));
            expect(versions).toEqual(sorted);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("forgets a removed transaction and nothing else", () => {
    const index = new VersionIndex();
    const [old, recent] = [commit(1, k), commit(2, k, l)];
    index.add(old);
    index.add(recent);
    index.remove(old);
    expect(index.versionsOf(k)).toEqual([recent]);
    expect(index.transactionCount).toBe(1);
    expect(() => {
      index.remove(recent);
    }).toThrow("superseded");
  });
});

describe("commit planning (§3.3)", () => {
  const names = createNames("aft");

  it("writes each version under its own name, then the record as the seal", () => {
    const record = { id: { timestampUs: 7, uuid }, writeSet: new Set([k, l]), requestId: "r" };
    const plan = planCommit(names, record, new Map([[k, Buffer.from("v")]]));
    expect(plan.entries.map((entry) => entry.key)).toEqual([`aft/d/k/${uuid}`]);
    expect(plan.seal.key).toBe(`aft/c/${uuid}`);
    expect(decodeOutcome(uuid, plan.seal.value)).toEqual({ kind: "committed", record });
  });
});

describe("names", () => {
  it("are reversible for any key, and never collide", () => {
    const names = createNames("aft");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(unescapeKey(escapeKey(a))).toBe(a);
        expect(names.parseVersion(names.version(key(a), uuid))).toEqual({ key: a, uuid });
        if (a !== b) expect(escapeKey(a)).not.toBe(escapeKey(b));
        expect(escapeKey(a)).toMatch(/^[\x21-\x7e]*$/);
        expect(escapeKey(a)).not.toContain("/");
      }),
    );
  });

  it("recognise only their own", () => {
    const names = createNames("aft");
    for (const foreign of [
      "aft/d/k",
      "aft/d/k/x",
      `aft/c/${uuid}x`,
      "other",
      `aft/d/%zz/${uuid}`,
    ]) {
      expect(names.parseVersion(storageKey(foreign))).toBeUndefined();
      expect(names.parseCommit(storageKey(foreign))).toBeUndefined();
    }
    expect(names.parseCommit(names.commit(uuid))).toBe(uuid);
  });
});

describe("records", () => {
  it("survive their encoding", () => {
    for (const outcome of [
      {
        kind: "committed",
        record: { id: { timestampUs: 5, uuid }, writeSet: new Set([k]), requestId: "r" },
      },
      { kind: "collected", uuid, timestampUs: 5 },
      { kind: "aborted", uuid },
    ] as const)
      expect(decodeOutcome(uuid, encodeOutcome(outcome))).toEqual(outcome);
  });

  it("refuse damaged or foreign bytes with a typed error, never otherwise", () => {
    const good = encodeOutcome({ kind: "collected", uuid, timestampUs: 5 });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat({ max: good.length - 1 }),
        (junk, at) => {
          const damaged = Uint8Array.from(good);
          damaged[at] = junk[0] ?? 0;
          for (const bytes of [junk, damaged]) {
            try {
              decodeOutcome(uuid, bytes);
            } catch (error) {
              expect(error).toBeInstanceOf(CorruptRecordError);
            }
          }
        },
      ),
    );
    const other = uuid.replace("1", "2");
    expect(() => decodeOutcome(other, good)).toThrow(CorruptRecordError);
  });
});

describe("transaction uuids", () => {
  it("are version 7, carry their time, and differ", () => {
    const prng = createPrng(1);
    const made = Array.from({ length: 1_000 }, () => createUuid(1_700_000_000_123, prng));
    expect(new Set(made).size).toBe(1_000);
    for (const one of made) {
      expect(isTransactionUuid(one)).toBe(true);
      expect(uuidTimeMs(one)).toBe(1_700_000_000_123);
    }
  });

  it.each(["", "x", uuid.toUpperCase() + "A", uuid.replace("-7", "-4")])("refuses %s", (text) => {
    expect(isTransactionUuid(text)).toBe(false);
  });
});
