/**
 * @module Turns evidence into a witness: operations that matter, edges with their rules, and text.
 *
 * The edges are found again within the evidence alone, so they can be checked by hand from what is
 * printed.
 */
import { type Cycle, findCycles, findSupport, type Step, transactionsOf } from "./cycles.ts";
import type { History } from "./history.ts";
import { judge, isSearched } from "./judge.ts";
import { nameCycle, namePattern, titles } from "./anomalies.ts";
import { orderTransactions } from "./order.ts";
import type { BadRead } from "./prepare.ts";
import { type Subset, subsetOf, type Transactions } from "./transactions.ts";
import { WitnessWriter } from "./witness-writer.ts";
import type { Level, Witness, WitnessEdge } from "./witness.ts";

export function explainBadRead(history: History, bad: BadRead): Witness {
  const writer = new WitnessWriter(history);
  const { key, value } = history.operation(bad.read);
  writer.add(bad.reader, bad.read);
  for (const write of [bad.seen, bad.other])
    if (write >= 0) writer.add(writer.transactionOf(write), write);
  const what = `${history.keyName(key)} = ${history.valueText(value)}`;
  const seenBy = bad.seen < 0 ? "" : history.transactionName(writer.transactionOf(bad.seen));
  const reader = history.transactionName(bad.reader);
  const own = bad.other < 0 ? "" : history.valueText(history.operation(bad.other).value);
  const reasons: Partial<Record<Witness["anomaly"], string>> = {
    "thin-air-read": `${reader} reads ${what}, which nobody wrote`,
    "aborted-read": `${reader} reads ${what} from ${seenBy}, which aborted`,
    "intermediate-read": `${reader} reads ${what} from ${seenBy}, whose last value of the key is ${own}`,
    "future-read": `${reader} reads ${what} before it writes it itself`,
    "not-own-write": `${reader} reads ${what} after its own write of ${own}`,
  };
  return writer.finish({
    anomaly: bad.anomaly,
    title: titles[bad.anomaly],
    cycle: [],
    support: [],
    reason: reasons[bad.anomaly] ?? "",
  });
}

/** `ids` violate the level by themselves and none can be left out. */
export function explainEvidence(options: {
  readonly history: History;
  readonly transactions: Transactions;
  readonly level: Level;
  readonly ids: readonly number[];
  readonly maxStates: number;
}): Witness {
  const { history, transactions, level, ids, maxStates } = options;
  const subset = subsetOf(transactions, ids);
  const base = orderTransactions(subset);
  // What is searched for has no circle of its own, unless a weaker level is violated already.
  const cycleLevel = isSearched(level) ? "cc" : level;
  const judgement = judge(subset, cycleLevel, { base, maxStates });
  if (judgement.outcome !== "violated") return explainSearched({ history, subset, level });
  const [cycle] = findCycles({ transactions: subset, ...judgement });
  return explainCycle({ history, subset, level: cycleLevel, cycle: cycle ?? [] });
}

function explainCycle(options: {
  readonly history: History;
  readonly subset: Subset;
  readonly level: Level;
  readonly cycle: Cycle;
}): Witness {
  const { history, subset, level, cycle } = options;
  const writer = new WitnessWriter(history);
  const supports = cycle.map((step) => supportOf(subset, level, step));
  for (const id of transactionsOf(cycle)) writer.add(subset.idOf[id] as number);
  const anomaly = nameCycle({ level, cycle, supports, subset });
  return writer.finish({
    anomaly,
    title: titles[anomaly],
    cycle: cycle.map((step) => edgeOf({ history, subset, writer, step })),
    support: supports.flat().map((step) => edgeOf({ history, subset, writer, step })),
    reason: "so no commit order of these transactions exists",
  });
}

/** How the reader of a forced step knows of where it begins. */
function supportOf(subset: Subset, level: Level, step: Step): Step[] {
  if (step.rule !== "forced") return [];
  if (level !== "rc") return findSupport(subset, step.from, step.reader);
  // Not by session order: what counts is what it read before.
  const begin = subset.readStart[step.reader] as number;
  const end = subset.readStart[step.reader + 1] as number;
  const at = subset.readSource.subarray(begin, end).indexOf(step.from) + begin;
  return [{ rule: "wr", from: step.from, to: step.reader, key: subset.readKey[at] as number }];
}

/** No circle is known: all there is to say are the reads, and which version precedes which. */
function explainSearched(options: {
  readonly history: History;
  readonly subset: Subset;
  readonly level: Level;
}): Witness {
  const { history, subset, level } = options;
  const writer = new WitnessWriter(history);
  const steps: Step[] = [];
  const overwrites: WitnessEdge[] = [];
  for (let id = 1; id < subset.count; id += 1) {
    writer.add(subset.idOf[id] as number);
    if (subset.sessionOf[id] === subset.sessionOf[id - 1])
      steps.push({ rule: "so", from: id - 1, to: id });
    const end = subset.readStart[id + 1] as number;
    for (let index = subset.readStart[id] as number; index < end; index += 1) {
      const from = subset.readSource[index] as number;
      const key = subset.readKey[index] as number;
      steps.push({ rule: "wr", from, to: id, key });
      overwrites.push(...overwritesOf({ history, subset, writer, reader: id, from, key }));
    }
  }
  const anomaly = namePattern(subset);
  return writer.finish({
    anomaly,
    title: titles[anomaly],
    cycle: [],
    support: [...steps.map((step) => edgeOf({ history, subset, writer, step })), ...overwrites],
    reason: `every commit order of these transactions breaks a read under ${level.toUpperCase()}`,
  });
}

/** Anti-dependencies that are sure: the version read is initial, or read or left by the overwriter. */
function overwritesOf(options: {
  readonly history: History;
  readonly subset: Subset;
  readonly writer: WitnessWriter;
  readonly reader: number;
  readonly from: number;
  readonly key: number;
}): WitnessEdge[] {
  const { history, subset, writer, reader, from, key } = options;
  const { writeStart, writeKey, readStart, readKey, readSource, sessionOf } = subset;
  const edges: WitnessEdge[] = [];
  for (let id = 1; id < subset.count; id += 1) {
    if (id === reader || id === from) continue;
    const writes = writeKey.subarray(writeStart[id], writeStart[id + 1]);
    if (!writes.includes(key)) continue;
    let later = from === 0 || (sessionOf[from] === sessionOf[id] && from < id);
    for (let at = readStart[id] as number; at < (readStart[id + 1] as number); at += 1)
      if (readKey[at] === key && readSource[at] === from) later = true;
    if (!later) continue;
    const [wholeReader, wholeId] = [subset.idOf[reader] as number, subset.idOf[id] as number];
    const wholeKey = subset.keyOf[key] as number;
    writer.addWrite(wholeId, wholeKey);
    edges.push({ from: wholeReader, to: wholeId, rule: "rw", key: history.keyName(wholeKey) });
  }
  return edges;
}

/** The step in the whole history's numbers and names; notes the operations it rests on. */
function edgeOf(options: {
  readonly history: History;
  readonly subset: Subset;
  readonly writer: WitnessWriter;
  readonly step: Step;
}): WitnessEdge {
  const { history, subset, writer, step } = options;
  const from = subset.idOf[step.from] as number;
  const to = subset.idOf[step.to] as number;
  if (step.rule === "so" || step.rule === "init") {
    writer.add(from);
    writer.add(to);
    return { from, to, rule: step.rule };
  }
  const key = subset.keyOf[step.key] as number;
  const base = { from, to, key: history.keyName(key) };
  if (step.rule === "wr") {
    if (from !== 0) writer.addWrite(from, key);
    return { ...base, rule: "wr", value: writer.addFirstRead(to, key, from) };
  }
  const reader = subset.idOf[step.reader] as number;
  writer.addWrite(from, key);
  if (to !== 0) writer.addWrite(to, key);
  return { ...base, rule: "forced", reader, value: writer.addLastRead(reader, key, to) };
}
