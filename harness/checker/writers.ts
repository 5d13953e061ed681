/**
 * @module Of each key its writers, ascending, in segments by session.
 *
 * Sessions are ranges of ids, so "the last writer of x in session s that is not after t" is a search
 * in one segment. Cost: O(writes).
 */
import type { Transactions } from "./transactions.ts";

export interface Writers {
  /** First segment of each key; one more entry at the end. */
  readonly segmentStart: Int32Array;
  /** Of each segment four numbers next to each other: see the offsets below. */
  readonly segment: Int32Array;
  /** First writer (index into `writer`) of each segment; one more entry at the end. */
  readonly writerStart: Int32Array;
  readonly writer: Int32Array;
}

/**
 * What a segment has: its session, and a cursor that stands between two of its writers. Who asks
 * about it mostly asks for nearly the same place, and then needs nothing but these four.
 */
export const segmentLength = 4;
/** The last writer not after the cursor; 0 if there is none. */
export const cursorWriter = 1;
/** The first writer after the cursor; above every id if there is none. */
export const cursorNext = 2;
/** Index of the next one into `writer`. */
export const cursorIndex = 3;

/** Above every id. */
export const noWriter = 2 ** 31 - 1;

export function groupWriters(transactions: Transactions): Writers {
  const { count, keyCount, sessionOf, writeStart, writeKey } = transactions;
  const keyStart = new Int32Array(keyCount + 1);
  for (let index = 0; index < writeKey.length; index += 1) {
    const slot = (writeKey[index] as number) + 1;
    keyStart[slot] = (keyStart[slot] as number) + 1;
  }
  for (let key = 1; key <= keyCount; key += 1)
    keyStart[key] = (keyStart[key] as number) + (keyStart[key - 1] as number);
  const next = keyStart.slice();
  const writer = new Int32Array(writeKey.length);
  for (let transaction = 1; transaction < count; transaction += 1) {
    const end = writeStart[transaction + 1] as number;
    for (let index = writeStart[transaction] as number; index < end; index += 1) {
      const key = writeKey[index] as number;
      const at = next[key] as number;
      next[key] = at + 1;
      writer[at] = transaction;
    }
  }
  return { writer, ...cutSegments({ keyCount, keyStart, writer, sessionOf }) };
}

function cutSegments(options: {
  readonly keyCount: number;
  readonly keyStart: Int32Array;
  readonly writer: Int32Array;
  readonly sessionOf: Int32Array;
}): Omit<Writers, "writer"> {
  const { keyCount, keyStart, writer, sessionOf } = options;
  const segmentStart = new Int32Array(keyCount + 1);
  const writerStart = new Int32Array(writer.length + 1);
  let segments = 0;
  for (let key = 0; key < keyCount; key += 1) {
    segmentStart[key] = segments;
    const end = keyStart[key + 1] as number;
    let session = -1;
    for (let index = keyStart[key] as number; index < end; index += 1) {
      const of = sessionOf[writer[index] as number] as number;
      if (of === session) continue;
      session = of;
      writerStart[segments] = index;
      segments += 1;
    }
  }
  segmentStart[keyCount] = segments;
  writerStart[segments] = writer.length;
  const segment = new Int32Array(segments * segmentLength);
  for (let at = 0; at < segments; at += 1) {
    const first = writerStart[at] as number;
    segment[at * segmentLength] = sessionOf[writer[first] as number] as number;
    segment[at * segmentLength + cursorNext] = writer[first] as number;
    segment[at * segmentLength + cursorIndex] = first;
  }
  return { segmentStart, segment, writerStart };
}
