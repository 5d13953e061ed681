/** @module What a rejection is called: names of Adya, and of Biswas and Enea. */
import type { Cycle, Step } from "./cycles.ts";
import type { Subset } from "./transactions.ts";
import type { Anomaly, Level } from "./witness.ts";

export const titles: Readonly<Record<Anomaly, string>> = {
  "thin-air-read": "thin-air read: a value that nobody wrote",
  "aborted-read": "aborted read (Adya G1a)",
  "intermediate-read": "intermediate read (Adya G1b)",
  "future-read": "future read: a transaction reads what it writes later",
  "not-own-write": "a transaction does not read its own latest write (Adya: internal consistency)",
  "circular-information-flow": "circular information flow (Adya G1c)",
  "non-monotonic-read":
    "non-monotonic read within a transaction (Adya G-single, PL-2L; Biswas-Enea read committed)",
  "non-repeatable-read": "non-repeatable read (Adya G-single; Biswas-Enea read atomic)",
  "fractured-read": "fractured read (Adya G-single; Biswas-Enea read atomic)",
  "stale-session-read":
    "stale read within a session: an earlier transaction's write is missed (Biswas-Enea read atomic)",
  "causality-violation": "causality violation (Adya G-single; Biswas-Enea causal consistency)",
  "long-fork": "long fork (Adya G2-item; Biswas-Enea prefix consistency)",
  "lost-update": "lost update (Adya G-single; Biswas-Enea snapshot isolation)",
  "write-skew": "write skew (Adya G2-item; Biswas-Enea serializability)",
  "no-commit-order": "no commit order explains these reads (Biswas-Enea)",
};

/** `supports[i]`: how the reader of the i-th step, if forced, knows of where the step begins. */
export function nameCycle(options: {
  readonly level: Level;
  readonly cycle: Cycle;
  readonly supports: readonly (readonly Step[])[];
  readonly subset: Subset;
}): Anomaly {
  const { level, cycle, supports, subset } = options;
  if (cycle.every(({ rule }) => rule !== "forced")) return "circular-information-flow";
  if (level === "rc") return "non-monotonic-read";
  if (supports.some((steps) => steps.length > 1)) return "causality-violation";
  if (cycle.some((step) => step.rule === "forced" && readsTwice(subset, step.reader, step.key)))
    return "non-repeatable-read";
  return supports.flat().some(({ rule }) => rule === "wr")
    ? "fractured-read"
    : "stale-session-read";
}

/** Whether a transaction reads a key from two writers. */
function readsTwice(
  { readStart, readKey, readSource }: Subset,
  reader: number,
  key: number,
): boolean {
  const sources = new Set<number>();
  for (let at = readStart[reader] as number; at < (readStart[reader + 1] as number); at += 1)
    if (readKey[at] === key) sources.add(readSource[at] as number);
  return sources.size > 1;
}

interface Access {
  readonly reads: readonly { readonly key: number; readonly source: number }[];
  readonly writes: ReadonlySet<number>;
}

/** The textbook pattern in a minimal set that no commit order explains, if it is one. */
export function namePattern(subset: Subset): Anomaly {
  const all: Access[] = [];
  for (let id = 1; id < subset.count; id += 1) all.push(accessOf(subset, id));
  const overwritten = (reader: Access, writer: Access, writerId: number): readonly number[] =>
    reader.reads
      .filter(({ key, source }) => writer.writes.has(key) && source !== writerId)
      .map(({ key }) => key);
  let skew = false;
  for (const [i, a] of all.entries())
    for (const [j, b] of all.entries()) {
      if (i >= j) continue;
      for (const { key, source } of a.reads) {
        const both = a.writes.has(key) && b.writes.has(key);
        if (both && b.reads.some((read) => read.key === key && read.source === source))
          return "lost-update";
      }
      if (overwritten(a, b, j + 1).length > 0 && overwritten(b, a, i + 1).length > 0) skew = true;
    }
  if (hasLongFork(all)) return "long-fork";
  return skew ? "write-skew" : "no-commit-order";
}

/** Two readers, two writers: each reader sees one of the writers and what the other overwrote. */
function hasLongFork(all: readonly Access[]): boolean {
  const sees = (reader: Access, seen: number, missed: number): boolean =>
    reader.reads.some(({ source }) => source === seen + 1) &&
    reader.reads.every(({ source }) => source !== missed + 1) &&
    reader.reads.some(({ key }) => all[missed]?.writes.has(key) === true);
  return all.some((_a, i) =>
    all.some(
      (_b, j) => i < j && all.some((one) => sees(one, i, j)) && all.some((one) => sees(one, j, i)),
    ),
  );
}

function accessOf(subset: Subset, id: number): Access {
  const { readStart, readKey, readSource, writeStart, writeKey } = subset;
  const reads = [];
  for (let at = readStart[id] as number; at < (readStart[id + 1] as number); at += 1)
    reads.push({ key: readKey[at] as number, source: readSource[at] as number });
  return {
    reads,
    writes: new Set(writeKey.subarray(writeStart[id], writeStart[id + 1])),
  };
}
