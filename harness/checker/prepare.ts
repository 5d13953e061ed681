/**
 * @module Read consistency, which every level demands, and what remains to be judged after it.
 *
 *   thin air      a value that nobody wrote
 *   aborted       a value of a transaction that aborted (Adya G1a)
 *   intermediate  not the last value its writer gave the key (Adya G1b)
 *   future        a value that the transaction itself writes later
 *   not own       after its own write, anything but the latest own value
 *
 * A transaction with unknown outcome counts as committed as soon as one that counts read from it,
 * and is left out otherwise: leaving out what nobody read only removes demands, so if any choice of
 * outcomes explains the history, this one does.
 *
 * Cost: O(operations).
 */
import type { History } from "./history.ts";
import { linkInitial, linkNobody } from "./link.ts";
import type { Transactions } from "./transactions.ts";
import type { Anomaly } from "./witness.ts";

/** One read that no commit order can explain. */
export interface BadRead {
  readonly anomaly: Anomaly;
  readonly reader: number;
  /** Operation of the reader. */
  readonly read: number;
  /** The write it saw; -1 if there is none. */
  readonly seen: number;
  /** The write it should have seen or that shows the fault; -1 if there is none. */
  readonly other: number;
}

export interface Prepared {
  readonly transactions: Transactions;
  /** The one with the fewest transactions of them all. */
  readonly badRead: BadRead | undefined;
}

export function prepare(history: History): Prepared {
  const included = chooseIncluded(history);
  const { code, link, start, end, transactionCount } = history;
  const size = Math.max(1, code.length);
  const [readKey, readSource, writeKey] = [
    new Int32Array(size),
    new Int32Array(size),
    new Int32Array(size),
  ];
  const readStart = new Int32Array(transactionCount + 1);
  const writeStart = new Int32Array(transactionCount + 1);
  /** Of each key: who wrote it last so far, and where. */
  const ownWriter = new Int32Array(history.keyCount);
  const ownWrite = new Int32Array(history.keyCount);
  let badRead: BadRead | undefined;
  let reads = 0;
  let writes = 0;
  for (let transaction = 1; transaction < transactionCount; transaction += 1) {
    readStart[transaction] = reads;
    writeStart[transaction] = writes;
    if (included[transaction] === 0) continue;
    const firstRead = reads;
    const upTo = end[transaction] as number;
    for (let index = start[transaction] as number; index < upTo; index += 1) {
      const keyAndKind = code[index] as number;
      const key = keyAndKind >> 1;
      const linked = link[index] as number;
      if ((keyAndKind & 1) === 1) {
        if (linked >= 0) writeKey[writes++] = key;
        ownWriter[key] = transaction;
        ownWrite[key] = index;
        continue;
      }
      const own = ownWriter[key] === transaction;
      if (own && linked === ownWrite[key]) continue;
      const writer = linked < 0 ? -1 : (link[linked] as number);
      if (
        own ||
        linked === linkNobody ||
        (linked !== linkInitial && (writer < 0 || writer === transaction || included[writer] === 0))
      ) {
        const found = explain({
          history,
          transaction,
          index,
          own: own ? (ownWrite[key] as number) : -1,
        });
        if (badRead === undefined || span(history, found) < span(history, badRead)) badRead = found;
        continue;
      }
      const source = linked === linkInitial ? 0 : writer;
      if (reads > firstRead && readKey[reads - 1] === key && readSource[reads - 1] === source)
        continue;
      readKey[reads] = key;
      readSource[reads++] = source;
    }
  }
  readStart[transactionCount] = reads;
  writeStart[transactionCount] = writes;
  const transactions = {
    count: transactionCount,
    keyCount: history.keyCount,
    sessionCount: history.sessionCount,
    sessionOf: history.sessionOf,
    readStart,
    readKey: readKey.subarray(0, reads),
    readSource: readSource.subarray(0, reads),
    writeStart,
    writeKey: writeKey.subarray(0, writes),
  };
  return { transactions, badRead };
}

/** Which read fault it is; `own` is the latest own write before the read, or -1. */
function explain(options: {
  readonly history: History;
  readonly transaction: number;
  readonly index: number;
  readonly own: number;
}): BadRead {
  const { history, transaction, index, own } = options;
  const seen = history.link[index] as number;
  const base = { reader: transaction, read: index, seen: Math.max(-1, seen), other: own };
  if (own >= 0) return { ...base, anomaly: "not-own-write" };
  if (seen === linkNobody) return { ...base, anomaly: "thin-air-read" };
  const link = history.link[seen] as number;
  const writer = link < 0 ? ~link : link;
  if (writer === transaction) return { ...base, anomaly: "future-read" };
  if (history.statusOf(writer) === "aborted") return { ...base, anomaly: "aborted-read" };
  return { ...base, anomaly: "intermediate-read", other: finalWrite(history, writer, index) };
}

/** The writer's last write of the key that is read at `index`. */
function finalWrite(history: History, writer: number, index: number): number {
  const code = (history.code[index] as number) | 1;
  for (let at = (history.end[writer] as number) - 1; at >= 0; at -= 1)
    if (history.code[at] === code) return at;
  return -1;
}

/** How many transactions it takes to show a bad read. */
function span(history: History, { reader, seen }: BadRead): number {
  if (seen < 0) return 1;
  const link = history.link[seen] as number;
  return (link < 0 ? ~link : link) === reader ? 1 : 2;
}

/** Committed ones, and unknown ones that, directly or through others, one of those read from. */
function chooseIncluded(history: History): Uint8Array {
  const { status, link, code, start, end, transactionCount } = history;
  const included = new Uint8Array(transactionCount);
  const open: number[] = [];
  let unknowns = false;
  for (let transaction = 1; transaction < transactionCount; transaction += 1) {
    if (status[transaction] === 0) included[transaction] = 1;
    else if (status[transaction] === 2) unknowns = true;
  }
  if (!unknowns) return included;
  const visit = (transaction: number): void => {
    const upTo = end[transaction] as number;
    for (let index = start[transaction] as number; index < upTo; index += 1) {
      const linked = link[index] as number;
      if (((code[index] as number) & 1) === 1 || linked < 0) continue;
      const mark = link[linked] as number;
      const writer = mark < 0 ? ~mark : mark;
      if (status[writer] !== 2 || included[writer] === 1) continue;
      included[writer] = 1;
      open.push(writer);
    }
  };
  for (let transaction = 1; transaction < transactionCount; transaction += 1)
    if (status[transaction] === 0) visit(transaction);
  for (let next = open.pop(); next !== undefined; next = open.pop()) visit(next);
  return included;
}
