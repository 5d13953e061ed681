/**
 * @module The mistakes of `sim-mutants.ts`, as data. Those with a number are the defects of the authors'
 * published code that can be made in ours; where one of ours is the same, it is taken from the list
 * of the unit tests.
 */
import { mutants, type Mutant } from "./mutants.ts";

export interface SimMutant extends Pick<Mutant, "mistake" | "file" | "from" | "to"> {
  /** The bug base's entry that must fail with it, counted from 1. */
  readonly bug?: number;
}

const cluster = "shim/aft/cluster";
const replica = "shim/aft/replica";
const protocol = "shim/aft/protocol";

/** From the list of the unit tests: what shows in what transactions read, or in what is left behind. */
const shared: readonly (readonly [start: string, name: string])[] = [
  ["Algorithm 1 without case 1", "1: no lower bound in the slow path"],
  ["Algorithm 1 without case 2", "3: no conflict test"],
  ["the oldest valid version is chosen", "4: an older version before a newer valid one"],
  ["a read from the cache is not added", "9: a read that is not added to the read set"],
  ["garbage collection ignores open", "11: collection under running readers"],
  ["an absent key is not added", ""],
  ["a key read as absent may appear", ""],
  ["Algorithm 2: superseded when one key", ""],
  ["a transaction that arrives superseded", ""],
  ["what was read before wins", ""],
  ["a read does not wait for writes", ""],
  ["the commit record lacks the keys", ""],
  ["a commit is announced before", ""],
  ["a failure without acknowledgement", ""],
  ["a question about an outcome leaves no fence", ""],
  ["outcomes of a group are given", ""],
  ["a restart with a slow clock", ""],
  ["collected data stays in storage", ""],
  ["a restart forgets what was superseded", ""],
  ["the cache gives another version", ""],
];

export const simMutants: readonly SimMutant[] = [
  ...shared.map(([start, name]): SimMutant => {
    const found = mutants.find(({ mistake }) => mistake.startsWith(start));
    if (found === undefined) throw new Error(`no mutant begins with: ${start}`);
    return { ...found, mistake: name === "" ? found.mistake : name };
  }),
  {
    mistake: "2: the bound is compared the wrong way round",
    file: `${protocol}/choose-version.ts`,
    from: "compareTransactionIds(writer.id, lowerBound.id) < 0) break;",
    to: "compareTransactionIds(writer.id, lowerBound.id) > 0) continue;",
  },
  {
    mistake: "5: the record is written although the data was not",
    file: "shim/storage/seal-in-two-steps.ts",
    from: "return failure === undefined ? writeSeal(engine, group) : Promise.resolve(failure);",
    to: "void failure;\n      return writeSeal(engine, group);",
  },
  {
    mistake: "6: aborted transactions are indexed and told to peers",
    file: `${replica}/replica.ts`,
    from: "          ? this.#abortWith(transaction, refuseForStorage(decision.cause))",
    to: "          ? (this.#learn(record), this.peers.onCommit?.(record), this.#abortWith(transaction, refuseForStorage(decision.cause)))",
  },
  {
    mistake: "7: what a batch did not process is forgotten",
    file: "shim/storage/seal-in-two-steps.ts",
    from: "if (groups.length === 1) return [failed(error)];",
    to: "if (groups.length === 1) return [undefined];",
  },
  {
    mistake: "8: the timestamp is taken at the start",
    file: `${replica}/replica.ts`,
    from: "const id = { timestampUs: this.#timestamps.next(), uuid };",
    to: "const id = { timestampUs: Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) * 1_000, uuid };",
  },
  {
    mistake: "10: data is deleted before its record is replaced",
    file: `${cluster}/collection.ts`,
    from: "    const ours = doomed.filter(isOurs);\n",
    to: "    const ours = doomed.filter(isOurs);\n    await this.#engine.multiDelete(doomed.flatMap(({ id, writeSet }) => [...writeSet].map((key) => this.#names.version(key, id.uuid))));\n",
  },
  {
    mistake: "11: a replica agrees to a collection while its readers may need it",
    file: `${replica}/peer-view.ts`,
    from: "return index.find(record.id.uuid) === undefined && isSuperseded(record, index);",
    to: "return isSuperseded(record, index);",
  },
  {
    mistake: "12: what is broadcast counts as heard, and what is lost is never repaired",
    file: `${protocol}/commit-stream.ts`,
    from: "    return { after, upTo: this.#first + position - 1, records, reset };",
    to: "    this.#heard.set(peer, this.#first + position - 1);\n    return { after, upTo: this.#first + position - 1, records, reset };",
  },
  {
    mistake: "the dead are never declared dead, and their votes are awaited for ever",
    file: `${cluster}/manager.ts`,
    from: "if (silentUs <= this.#settings.deadAfterMs * 1_000) continue;",
    to: "if (silentUs > 0) continue;",
  },
  {
    mistake: "the manager finds commits that nobody broadcast, and tells nobody",
    file: `${cluster}/manager.ts`,
    from: "const needed = await this.#forwarding.tell(fresh);",
    to: "const needed = await Promise.resolve(fresh.length);",
  },
  {
    mistake: "a manager does not pass on what the dead told only some",
    file: `${cluster}/forwarding.ts`,
    from: "void this.tell(list.map(({ record }) => record));",
    to: "void list;",
  },
  {
    mistake: "orphaned data is never collected",
    file: `${cluster}/collection.ts`,
    from: "    if (!this.#isLeader()) return;\n    this.#orphansDeletedTotal +=",
    to: "    if (this.#isLeader()) return;\n    this.#orphansDeletedTotal +=",
  },
  {
    mistake: "orphans are deleted without a fence against their transaction",
    file: `${replica}/recovery.ts`,
    from: "const decision = await committer.decideForeign(uuid);",
    to: 'const decision = (await committer.find(uuid)) ?? ({ kind: "aborted", cause: "" } as const);',
  },
  {
    mistake: "transactions never time out",
    file: `${replica}/housekeeping.ts`,
    from: "if (transaction.beganAtUs > latestUs) return;",
    to: "if (transaction.beganAtUs > 0) return;",
  },
  {
    mistake: "a replica admits transactions before it has read the commit set",
    file: `${cluster}/replica-member.ts`,
    from: '    peers.stopAdmitting("joining");\n    peers.onCommit',
    to: "    peers.onCommit",
  },
  {
    mistake: "a replica that was declared dead goes on as if nothing had happened",
    file: `${cluster}/replica-member.ts`,
    from: "    if (wasJoining) this.#readingsWanted += 1;\n    else void this.#readAndAdmit();",
    to: '    void wasJoining;\n    this.#gossip.members.setState("alive");\n    this.#peers.admit();',
  },
  {
    mistake: "attempts of one request commit in places of their own",
    file: `${protocol}/names.ts`,
    from: "  if (tag === undefined) return uuid;\n",
    to: "  if (tag !== undefined) return uuid.slice(0, 36);\n  if (tag === undefined) return uuid;\n",
  },
  {
    mistake: "a missing version is answered as absent",
    file: `${replica}/operations.ts`,
    from: 'if (choice.kind !== "version") return this.#noValidVersion(key);',
    to: 'if (choice.kind !== "version") return absent;',
  },
  {
    mistake: "found here: a spilled value that was read stays in the cache when it is written over",
    bug: 1,
    file: `${replica}/operations.ts`,
    from: "this.#fetch(this.#reader.readSpilled(key, transaction.uuid));",
    to: "this.#fetch(Promise.resolve(this.#reader.read(key, transaction.uuid)));",
  },
  {
    mistake: "found here: writes of a key take effect in the order of arrival",
    bug: 2,
    file: `${replica}/transaction.ts`,
    from: "return sequence < (this.#writtenEarly.get(key) ?? 0);",
    to: "return sequence < 0;",
  },
  {
    mistake: "found here: a refusal after an unreadable seal ends a commit that happened",
    bug: 3,
    file: `${replica}/committer.ts`,
    from: "        mayExist = true;\n      } else {",
    to: "      } else {",
  },
  {
    mistake: "found here: what is missed in the pause after a rescan is forgotten",
    bug: 4,
    file: `${cluster}/replica-member.ts`,
    from: "if (this.#isReadingDue) this.#wantRescan();",
    to: "",
  },
  {
    mistake: "found here: who takes the address of a dead replica is believed to have been heard",
    bug: 5,
    file: `${cluster}/gossip.ts`,
    from: "to === this.members.self.id ? heard : 0",
    to: "heard",
  },
  {
    mistake: "found here: a commit whose answer was lost with earlier ones counts as not sent",
    bug: 6,
    file: "shim/aft/client/session.ts",
    from: "return isAnswer(failure.cause) ? refused(failure) : this.#askAgain(failure);",
    to: "return failure === this.#failure || isAnswer(failure.cause) ? refused(failure) : this.#askAgain(failure);",
  },
];
