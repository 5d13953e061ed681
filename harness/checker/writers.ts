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
  readonly segmentSession: Int32Array;
  /** First writer (index into `writer`) of each segment; one more entry at the end. */
  readonly writerStart: Int32Array;
  /** With one more entry at the end that is above every id. */
  readonly writer: Int32Array;
}

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
  const writer = new Int32Array(writeKey.length + 1);
  writer[writeKey.length] = count;
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
  const segmentSession = new Int32Array(writer.length);
  const writerStart = new Int32Array(writer.length);
  let segments = 0;
  for (let key = 0; key < keyCount; key += 1) {
    segmentStart[key] = segments;
    const end = keyStart[key + 1] as number;
    let session = -1;
    for (let index = keyStart[key] as number; index < end; index += 1) {
      const of = sessionOf[writer[index] as number] as number;
      if (of === session) continue;
      session = of;
      segmentSession[segments] = session;
      writerStart[segments] = index;
      segments += 1;
    }
  }
  segmentStart[keyCount] = segments;
  writerStart[segments] = writer.length - 1;
  return { segmentStart, segmentSession, writerStart };
}
