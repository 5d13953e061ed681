/** @module The mistakes of `protocol-mutants.ts`, as data: where, what, and what it would break. */

export interface Mutant {
  readonly mistake: string;
  readonly file: string;
  /** Stands there exactly once. */
  readonly from: string;
  readonly to: string;
  /** Where the test that should notice it is looked for first; empty: all of the shim's. */
  readonly tests: readonly string[];
}

const protocol = "shim/aft/protocol";
const replica = "shim/aft/replica";

export const mutants: readonly Mutant[] = [
  {
    mistake: "Algorithm 1 without case 1: older than what was written together with a read key",
    file: `${protocol}/choose-version.ts`,
    from: "lowerBound !== undefined && compareTransactionIds(writer.id, lowerBound.id) < 0",
    to: "false",
    tests: [protocol],
  },
  {
    mistake: "Algorithm 1 without case 2: newer than a key already read of the same transaction",
    file: `${protocol}/choose-version.ts`,
    from: "if (!fractures(writer, observed)) return",
    to: "return",
    tests: [protocol],
  },
  {
    mistake: "the lower bound excludes the version it was taken from",
    file: `${protocol}/choose-version.ts`,
    from: "compareTransactionIds(writer.id, lowerBound.id) < 0",
    to: "compareTransactionIds(writer.id, lowerBound.id) <= 0",
    tests: [protocol],
  },
  {
    mistake: "the lower bound is the oldest cowriter, not the newest",
    file: `${protocol}/choose-version.ts`,
    from: "compareTransactionIds(writer.id, newest.id) > 0",
    to: "compareTransactionIds(writer.id, newest.id) < 0",
    tests: [protocol],
  },
  {
    mistake: "the oldest valid version is chosen",
    file: `${protocol}/choose-version.ts`,
    from: "let position = versions.length - 1; position >= 0; position -= 1",
    to: "let position = 0; position < versions.length; position += 1",
    tests: [protocol],
  },
  {
    mistake: "a key read as absent may appear later in the same transaction",
    file: `${protocol}/choose-version.ts`,
    from: 'return seen === "absent" || compareTransactionIds',
    to: 'return seen !== "absent" && compareTransactionIds',
    tests: [protocol],
  },
  {
    mistake: "no valid version is reported as no version",
    file: `${protocol}/choose-version.ts`,
    from: "versions.length === 0 && lowerBound === undefined ? absent : noValidVersion",
    to: "absent",
    tests: [protocol],
  },
  {
    mistake: "Algorithm 2: superseded when one key of several is",
    file: `${protocol}/version-index.ts`,
    from: "return known.liveKeys === 0;",
    to: "return known.liveKeys >= 0;",
    tests: [protocol],
  },
  {
    mistake: "versions stand in the order of arrival, not of transaction ids",
    file: `${protocol}/version-index.ts`,
    from: "if (compareTransactionIds(newest.id, record.id) < 0) {",
    to: "if (newest.id.uuid !== record.id.uuid) {",
    tests: [protocol],
  },
  {
    mistake: "a transaction that arrives superseded is never collected",
    file: `${protocol}/version-index.ts`,
    from: "if (live === 0) superseded.push(record);",
    to: "",
    tests: [protocol],
  },
  {
    mistake: "peers are told a transaction is superseded by itself",
    file: `${protocol}/superseded.ts`,
    from: "newest === undefined || newest.id.uuid === record.id.uuid",
    to: "newest === undefined",
    tests: [protocol],
  },
  {
    mistake: "a commit record lacks a key it wrote",
    file: `${protocol}/record-codec.ts`,
    from: "w: [...writeSet],",
    to: "w: [...writeSet].slice(1),",
    tests: [protocol, replica],
  },
  {
    mistake: "a record found under another transaction's name is believed",
    file: `${protocol}/record-codec.ts`,
    from: "if (commitPlace(uuid, slot) !== place)",
    to: "if (place === '')",
    tests: [protocol],
  },
  {
    mistake: "two keys share a name in storage",
    file: `${protocol}/names.ts`,
    from: "return escapeKey(text) === escaped ? text : undefined;",
    to: "return text;",
    tests: [protocol],
  },
  {
    mistake: "what was read before wins over an own later write",
    file: `${replica}/operations.ts`,
    from: "const own = transaction.buffered.get(key);",
    to: "const own = transaction.observed.has(key) ? undefined : transaction.buffered.get(key);",
    tests: [replica],
  },
  {
    mistake: "a read from the cache is not added to the read set",
    file: `${replica}/operations.ts`,
    from: '        transaction.observed.set(key, writer);\n        return { kind: "value", value };',
    to: '        return { kind: "value", value };',
    tests: [replica],
  },
  {
    mistake: "an absent key is not added to the read set",
    file: `${replica}/operations.ts`,
    from: '        transaction.observed.set(key, "absent");\n',
    to: "",
    tests: [replica],
  },
  {
    mistake: "a read does not wait for writes still under way",
    file: `${replica}/transaction.ts`,
    from: "return this.#contiguousWrites >= afterWrites;",
    to: "return true;",
    tests: [replica],
  },
  {
    mistake: "the commit record lacks the keys that were spilled",
    file: `${replica}/transaction.ts`,
    from: "const keys = new Set(this.spilled);",
    to: "const keys = new Set<Key>();",
    tests: [replica],
  },
  {
    mistake: "a commit is announced before storage has acknowledged it",
    file: `${replica}/committer.ts`,
    from: "    this.#groups.seal(planWrite(record), (outcome) => {",
    to: "    settle(committedBy(record));\n    settle = () => {};\n    this.#groups.seal(planWrite(record), (outcome) => {",
    tests: [replica],
  },
  {
    mistake: "a failure without acknowledgement counts as an abort",
    file: `${replica}/committer.ts`,
    from: 'if (outcome.error.effect === "none" && !mayExist)',
    to: "if (!mayExist)",
    tests: [replica],
  },
  {
    mistake: "a fence counts as the transaction's own record",
    file: `${replica}/committer.ts`,
    from: '          return { kind: "aborted", cause: "it was fenced by a question about its outcome" };',
    to: '          return { kind: "committed", transactionId: uuid, timestampUs: 1 };',
    tests: [replica],
  },
  {
    mistake: "a question about an outcome leaves no fence",
    file: `${replica}/committer.ts`,
    from: "if (await this.#engine.putIfAbsent(fence, marker))",
    to: "if (marker.length > 0)",
    tests: [replica],
  },
  {
    mistake: "outcomes of a group are given to the wrong transactions",
    file: `${replica}/group-commit.ts`,
    from: "const outcome = outcomes[index];",
    to: "const outcome = outcomes[group.length - 1 - index];",
    tests: [replica],
  },
  {
    mistake: "timestamps repeat within a millisecond",
    file: `${replica}/timestamps.ts`,
    from: "Math.max(this.#lastUs + 1, ",
    to: "Math.max(this.#lastUs, ",
    tests: [replica],
  },
  {
    mistake: "a restart with a slow clock goes back in time",
    file: `${replica}/timestamps.ts`,
    from: "    this.#lastUs = Math.max(this.#lastUs, timestampUs);\n",
    to: "    void timestampUs;\n",
    tests: [replica],
  },
  {
    mistake: "garbage collection ignores open transactions",
    file: `${replica}/collector.ts`,
    from: "candidate.beforeBegin >= oldestOpen",
    to: "false",
    tests: [replica],
  },
  {
    mistake: "collected data stays in storage",
    file: `${replica}/collector.ts`,
    from: "          [...writeSet].map((key) => this.#names.version(key, id.uuid)),",
    to: "          [...writeSet].slice(1).map((key) => this.#names.version(key, id.uuid)),",
    tests: [replica],
  },
  {
    mistake: "a restart forgets what was superseded before it was found",
    file: `${replica}/replica.ts`,
    from: "this.#collector.supersede([outcome.record], 0);",
    to: "void outcome;",
    tests: [replica],
  },
  {
    mistake: "the cache gives another version of the key",
    file: `${replica}/data-cache.ts`,
    from: "entry !== undefined && entry.uuid !== uuid",
    to: "entry === undefined",
    tests: [replica],
  },
  {
    mistake: "the cache grows beyond its bound",
    file: `${replica}/data-cache.ts`,
    from: "    while (this.#bytes > this.#maxBytes) this.#remove(this.#ends.after);\n",
    to: "",
    tests: [replica],
  },
];
