/**
 * @module What must be true once nothing fails any more: every commit is visible at every replica, storage
 * holds what is live and nothing else, nobody is busy, and all agree who is there.
 */
import type { Key } from "#shim/aft/protocol/types.ts";
import { decodeStamp } from "#workloads/functions/value.ts";
import type { RunningReplica, SimCluster } from "./cluster.ts";
import type { Oracle } from "./oracle.ts";
import type { SimStore } from "./store.ts";

export interface Settling {
  readonly cluster: SimCluster;
  readonly oracle: Oracle;
  readonly store: SimStore;
}

/** The first thing that is not yet as it must become; without waiting for anything. */
export function unsettled({ cluster, oracle, store }: Settling): string | undefined {
  const replicas: RunningReplica[] = [];
  for (const address of cluster.addresses) {
    const running = cluster.servingAt(address);
    if (running === undefined) return `nobody serves at ${address}`;
    replicas.push(running);
  }
  for (const running of replicas) {
    const what = unsettledReplica(running, { cluster, oracle });
    if (what !== undefined) return `${running.process.name}: ${what}`;
  }
  return unsettledStore({ cluster, oracle, store });
}

function unsettledReplica(
  { replica, member }: RunningReplica,
  { cluster, oracle }: Pick<Settling, "cluster" | "oracle">,
): string | undefined {
  const { openTransactions, bufferedBytes, knownTransactions } = replica.stats();
  if (replica.peers.admission !== undefined) return `refuses work: ${replica.peers.admission.code}`;
  if (openTransactions > 0) return `${openTransactions} transactions are open`;
  if (bufferedBytes > 0) return `${bufferedBytes} bytes are buffered`;
  const live = oracle.liveTransactions();
  if (knownTransactions !== live)
    return `knows ${knownTransactions} transactions where ${live} are live`;
  if (member === undefined) return undefined;
  const here = member.members().filter(({ state }) => state !== "dead" && state !== "left");
  const names = here.map(({ id, state }) => `${id} ${state}`).toSorted();
  const expected = [...present(cluster)].toSorted();
  if (names.join() !== expected.join())
    return `sees ${names.join(", ")} where ${expected.join(", ")} are there`;
  if (member.keptCommits > 0)
    return `keeps ${member.keptCommits} commits for peers, of ${names.join(", ")}`;
  return undefined;
}

function* present(cluster: SimCluster): Generator<string> {
  for (const address of cluster.addresses) {
    const member = cluster.servingAt(address)?.member;
    if (member !== undefined) yield `${member.self.id} alive`;
  }
  for (const { id } of cluster.managers.values()) yield `${id} alive`;
}

function unsettledStore({ cluster, oracle, store }: Settling): string | undefined {
  // The service promises no more than that: who reads now may be told that there is nothing.
  if (!store.isSettled) return "the last writes show only to some reads";
  const { objects, committedRecords: committed } = oracle;
  const live = oracle.liveObjects();
  if (objects !== live) {
    const extra = [...leftOver({ cluster, oracle, store })].slice(0, 3).join(", ");
    return `storage holds ${objects} versions where ${live} are live: ${extra}`;
  }
  // A sole replica keeps records for as long as somebody may ask for the outcome.
  const transactions = oracle.liveTransactions();
  const isExact = cluster.managers.size > 0;
  if (isExact ? committed !== transactions : committed < transactions)
    return `storage holds ${committed} commit records where ${transactions} are live`;
  return undefined;
}

/** Data that belongs to nobody, or to somebody who was superseded. */
function* leftOver({ cluster, oracle, store }: Settling): Generator<string> {
  const live = new Set(oracle.newest.values());
  for (const name of store.names(cluster.names.dataPrefix)) {
    const uuid = cluster.names.parseVersion(name)?.uuid ?? "";
    const record = oracle.committed.get(uuid);
    if (record === undefined) yield `${name} of nobody`;
    else if (!live.has(record)) yield `${name}, superseded`;
  }
}

/** Reads every key at a replica in one transaction; what is not the newest version, in words. */
export async function missingAt(
  { process, replica }: RunningReplica,
  newest: ReadonlyMap<Key, { readonly id: { readonly uuid: string } }>,
): Promise<string[]> {
  const begun = replica.begin({ requestId: "settled" });
  if (begun.kind !== "begun") return [`${process.name} refuses to begin: ${begun.code}`];
  const { transactionId } = begun;
  const missing: string[] = [];
  for (const [key, { id }] of newest) {
    const answer = await replica.get({ transactionId, key });
    const seen = answer.kind === "value" ? decodeStamp(answer.value).transactionId : answer.kind;
    if (seen !== id.uuid)
      missing.push(`${process.name} reads ${key} from ${seen}, not from ${id.uuid}`);
  }
  replica.abort({ transactionId });
  return missing;
}
