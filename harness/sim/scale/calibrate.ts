/**
 * @module Costs for `simulateScale` from a real run of one replica: CPU by process from its record, the price
 * of talk between peers from the product's own codec and merge, timed here; and what is left of a
 * transaction's time, so that the simulated run takes as long as the real one.
 *
 * Adapter: it looks at the real clock.
 */
import { performance } from "node:perf_hooks";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { RunSummary } from "#harness/record/run.ts";
import { median } from "#harness/stats/quantile.ts";
import { decodeMessage, encodePeer } from "#shim/aft/cluster/codec.ts";
import type { PeerMessage } from "#shim/aft/cluster/port.ts";
import type { MemberReport } from "#shim/aft/protocol/members.ts";
import { type CommitRecord, key } from "#shim/aft/protocol/types.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { CalibrationError, type ScaleCosts } from "./costs.ts";
import { simulateScale } from "./scale.ts";
import { scaleConfigOf } from "./study.ts";

const repeats = 9;
const records = 2_000;
const members = 256;

type PeerCosts = Omit<ScaleCosts, "v" | "source" | "replicaUs" | "storeUs" | "loadUs" | "otherUs">;

/**
 * @param summary  Of a run of `scaling-replicas` or `scaling-clients` with one replica.
 * @param machine  Words for where it was measured.
 * @throws CalibrationError when that run is something else.
 */
export async function calibrateScale(
  summary: RunSummary,
  machine: { readonly text: string; readonly cores: number },
): Promise<ScaleCosts> {
  const { cell, throughputPerSecond, cpuCores, responseTimeUs, runId } = summary;
  if ((cell["replicas"] ?? 1) !== 1)
    throw new CalibrationError(`${runId} is no run of one replica`);
  const perTransactionUs = (matches: (name: string) => boolean): number =>
    Object.entries(cpuCores)
      .filter(([name]) => matches(name))
      .reduce((total, [, cores]) => total + (cores * 1_000_000) / throughputPerSecond, 0);
  const isReplica = (name: string): boolean => name.startsWith("replica");
  const costs: ScaleCosts = {
    v: 1,
    source: `${runId} (${cell.emulation}, ${cell.clients} clients), ${machine.text}`,
    replicaUs: perTransactionUs(isReplica),
    storeUs: perTransactionUs((name) => name === cell.storage),
    loadUs: perTransactionUs((name) => name === "load"),
    otherUs: 0,
    ...(await peerCosts()),
  };
  // What the record has beyond that: emulated waits that end late, the kernel, other programs.
  const simulated = await simulateScale({
    ...scaleConfigOf(cell, costs),
    sharedCores: machine.cores,
    measuredMs: 20_000,
  });
  const otherUs = Math.max(0, responseTimeUs.mean - simulated.responseTimeMs.mean * 1_000);
  return rounded({ ...costs, otherUs });
}

/** Of the product's own code on this machine. */
async function peerCosts(): Promise<PeerCosts> {
  const prng = createPrng(1);
  const member = (index: number): MemberReport => ({
    id: `10.0.${index >> 8}.${index & 255}:6390-${createUuid(index, prng).slice(-8)}`,
    role: "replica",
    address: `10.0.${index >> 8}.${index & 255}:6390`,
    incarnation: 1,
    state: "alive",
    silentMs: index,
  });
  const record = (index: number): CommitRecord => ({
    id: { timestampUs: index + 1, uuid: createUuid(1_800_000_000_000 + index, prng) },
    writeSet: new Set([key(`key-${index % 1_000}`), key(`key-${(index * 7 + 1) % 1_000}`)]),
    requestId: `c0-${index}`,
  });
  const sync = (memberCount: number, recordCount: number): PeerMessage => ({
    kind: "sync",
    from: member(0),
    members: Array.from({ length: memberCount }, (_unused, index) => member(index + 1)),
    heard: 0,
    batch: {
      after: 0,
      upTo: recordCount,
      records: Array.from({ length: recordCount }, (_unused, index) => record(index)),
      reset: false,
    },
  });
  const [bare, many, full] = [sync(0, 0), sync(members, 0), sync(0, records)];
  const out = (message: PeerMessage): number => timeUs(() => void encodePeer(message));
  const taken = (message: PeerMessage): number => {
    const text = encodePeer(message);
    return timeUs(() => void decodeMessage(text));
  };
  const bareUs = out(bare) + taken(bare);
  const bytes = (message: PeerMessage): number => encodePeer(message).length;
  const mergeUs =
    (await mergingUs(Array.from({ length: records }, (_u, index) => record(index)))) / records;
  const recordInUs = (taken(full) - taken(bare)) / records + mergeUs;
  return {
    // One end of an exchange: half of both, and a system call each way.
    messageUs: bareUs / 2 + systemCallsUs,
    memberUs: (out(many) + taken(many) - bareUs) / members / 2,
    recordOutUs: (out(full) - out(bare)) / records,
    recordInUs,
    // It keeps, forwards and collects each besides.
    managedUs: recordInUs + mergeUs,
    memberBytes: (bytes(many) - bytes(bare)) / members,
    recordBytes: (bytes(full) - bytes(bare)) / records,
  };
}

/** A read and a write of a socket that is ready, on Linux. */
const systemCallsUs = 20;

async function mergingUs(news: readonly CommitRecord[]): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const replica = await createReplica({
      storage: createMemoryEngine(),
      clock: createSystemClock(),
      prng: createPrng(repeat),
      settings: { storageGc: "off", orphanSweepMs: 0 },
    });
    const before = performance.now();
    replica.peers.merge(news);
    times.push((performance.now() - before) * 1_000);
    await replica.close();
  }
  return median(times);
}

function timeUs(work: () => void): number {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const before = performance.now();
    work();
    times.push((performance.now() - before) * 1_000);
  }
  return median(times);
}

function rounded(costs: ScaleCosts): ScaleCosts {
  const entries = Object.entries(costs).map(([name, cost]) => [
    name,
    typeof cost === "number" ? Math.round(cost * 1_000) / 1_000 : cost,
  ]);
  return Object.fromEntries(entries) as ScaleCosts;
}
