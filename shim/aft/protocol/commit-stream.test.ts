/**
 * Goal    A receiver has heard a commit, or knows that it has not, whatever happens to batches.
 * Method  Clause by clause, then any sequence of losses, repetitions and reorderings.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommitBatch, CommitStream, HeardStreams } from "./commit-stream.ts";
import { type CommitRecord, key } from "./types.ts";

function commit(number: number): CommitRecord {
  const uuid = `u${number}`;
  return { id: { timestampUs: number, uuid }, writeSet: new Set([key("k")]), requestId: "" };
}

function streamOf(
  count: number,
  limit = 1_000,
  isSuperseded?: (record: CommitRecord) => boolean,
): CommitStream {
  const stream = new CommitStream(limit, isSuperseded);
  for (let number = 1; number <= count; number += 1) stream.append(commit(number));
  return stream;
}

describe("a commit stream", () => {
  it("begins where the peer has stopped hearing, and says nothing when there is no news", () => {
    const stream = streamOf(5);
    expect(stream.batchFor("p", 3, "newest")).toMatchObject({ after: 0, upTo: 3, reset: false });
    stream.acknowledge("p", 3);
    expect(stream.batchFor("p", 3, "newest")).toMatchObject({ after: 3, upTo: 5 });
    stream.acknowledge("p", 5);
    expect(stream.batchFor("p", 3, "newest")).toBeUndefined();
  });

  it("counts commits that were left out as heard", () => {
    const stream = streamOf(5, 1_000, ({ id }) => id.timestampUs !== 4);
    const batch = stream.batchFor("p", 10, "newest");
    expect(batch?.records.map(({ id }) => id.timestampUs)).toEqual([4]);
    expect(batch).toMatchObject({ after: 0, upTo: 5 });
  });

  it("leaves nothing out for those who hear all, and asks of a superseded commit once", () => {
    let asked = 0;
    const stream = streamOf(5, 1_000, ({ id }) => {
      asked += 1;
      return id.timestampUs < 4;
    });
    expect(stream.batchFor("m", 10, "all")?.records).toHaveLength(5);
    for (const peer of ["p", "q", "r"])
      expect(stream.batchFor(peer, 10, "newest")?.records).toHaveLength(2);
    expect(asked).toBe(3 + 3 * 2);
  });

  it("keeps what some peer has not heard, and nothing else", () => {
    const stream = streamOf(5);
    stream.acknowledge("p", 5);
    stream.acknowledge("q", 2);
    stream.retain(new Set(["p", "q"]));
    expect(stream.kept).toBe(3);
    stream.retain(new Set(["p"]));
    expect(stream.kept).toBe(0);
  });

  it("says so when it no longer keeps what a peer has missed", () => {
    const stream = streamOf(12, 10);
    const batch = stream.batchFor("p", 100, "newest");
    expect(batch).toMatchObject({ after: 5, upTo: 12, reset: true });
    const heard = new HeardStreams();
    expect(heard.note("o", batch as CommitBatch)).toEqual({ lost: true });
    expect(heard.heard("o")).toBe(12);
  });

  it("does not count a batch behind a gap as heard", () => {
    const heard = new HeardStreams();
    const gap = { after: 3, upTo: 5, records: [], reset: false };
    expect(heard.note("o", gap)).toEqual({ lost: false });
    expect(heard.heard("o")).toBe(0);
  });

  it("delivers everything in the end, whatever happens on the way", () => {
    const arbFates = fc.array(fc.constantFrom("lose", "deliver", "late", "twice"), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(arbFates, fc.integer({ min: 1, max: 5 }), (fates, most) => {
        const stream = new CommitStream(1_000);
        const heard = new HeardStreams();
        const received = new Set<number>();
        const late: CommitBatch[] = [];
        const deliver = (batch: CommitBatch): void => {
          heard.note("o", batch);
          for (const { id } of batch.records) received.add(id.timestampUs);
        };
        for (const [index, fate] of fates.entries()) {
          stream.append(commit(index + 1));
          const batch = stream.batchFor("p", most, "newest");
          if (batch === undefined) continue;
          if (fate === "late") late.push(batch);
          if (fate === "deliver" || fate === "twice") deliver(batch);
          if (fate === "twice") deliver(batch);
          if (index % 3 === 0) stream.acknowledge("p", heard.heard("o"));
          if (index % 5 === 0 && late.length > 0) deliver(late.shift() as CommitBatch);
        }
        for (;;) {
          stream.acknowledge("p", heard.heard("o"));
          const batch = stream.batchFor("p", most, "newest");
          if (batch === undefined) break;
          deliver(batch);
        }
        expect(received.size).toBe(fates.length);
      }),
      { numRuns: 500 },
    );
  });
});
