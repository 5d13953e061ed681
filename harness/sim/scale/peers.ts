/** @module What peers ask each other at scale: by reference, with the CPU that its text would cost. */
import type { PeerAnswer, PeerEndpoint, PeerMessage, Transport } from "#shim/aft/cluster/port.ts";
import type { SimNetwork } from "../network.ts";
import type { SimProcess } from "../process.ts";
import type { Executor } from "./cores.ts";
import type { ScaleCosts } from "./costs.ts";
import type { SharedReports } from "./shared-reports.ts";

/** A process that peers speak to. */
export interface Peer {
  readonly process: SimProcess;
  readonly worker: Executor;
  readonly endpoint: PeerEndpoint | undefined;
}

/** Counted over a simulation; a request and its answer are two messages. */
export interface PeerTraffic {
  messages: number;
  members: number;
  records: number;
  bytes: number;
  /** CPU that it took, by all ends. */
  cpuUs: number;
}

export function noTraffic(): PeerTraffic {
  return { messages: 0, members: 0, records: 0, bytes: 0, cpuUs: 0 };
}

class PeerSilent extends Error {}

export function createScaleTransport(options: {
  readonly self: Omit<Peer, "endpoint">;
  readonly network: SimNetwork;
  readonly peerAt: (address: string) => Peer | undefined;
  readonly costs: ScaleCosts;
  readonly timeoutUs: number;
  readonly traffic: PeerTraffic;
  /** Of all transports of a simulation. */
  readonly reports: SharedReports;
  /** A manager takes over commits more slowly. */
  readonly isManager: boolean;
}): Transport {
  const { self, network, peerAt, costs, timeoutUs, traffic, reports, isManager } = options;
  const { process, worker } = self;
  const { owner, name } = process;
  const inUs = isManager ? costs.managedUs : costs.recordInUs;
  /** Spends the CPU of one end of a message, then does what follows. */
  const spend = (by: Executor, costUs: number, then: () => void): void => {
    traffic.cpuUs += costUs;
    by.do(costUs, then);
  };
  const outUs = (size: Size): number => endUs(costs, size) + size.records * costs.recordOutUs;
  return {
    ask: (to, said) =>
      new Promise<PeerAnswer>((resolve, reject) => {
        const message = lean(said, reports);
        const timer = process.schedule(timeoutUs, () => {
          reject(new PeerSilent("no answer in time"));
        });
        const asked = sizeOf(message);
        count(traffic, asked, costs);
        spend(worker, outUs(asked), () => {
          network.datagram({ from: name, to, owner, digest: asked.records }, () => {
            const peer = peerAt(to);
            if (peer?.endpoint === undefined) return;
            const { endpoint } = peer;
            const takeUs = endUs(costs, asked) + asked.records * costs.recordInUs;
            spend(peer.worker, takeUs, () => {
              const answer = lean(endpoint.handle(message), reports);
              const answered = sizeOf(answer);
              count(traffic, answered, costs);
              spend(peer.worker, outUs(answered), () => {
                network.datagram({ from: to, to: name, owner, digest: answered.records }, () => {
                  spend(worker, endUs(costs, answered) + answered.records * inUs, () => {
                    timer.cancel();
                    resolve(answer);
                  });
                });
              });
            });
          });
        });
      }),
  };
}

/** The same, with reports that equal ones under way share. */
function lean<Said extends PeerMessage | PeerAnswer>(said: Said, reports: SharedReports): Said {
  return "members" in said ? { ...said, members: reports.share(said.members) } : said;
}

interface Size {
  readonly members: number;
  readonly records: number;
}

/** Of one end, commits apart. */
function endUs({ messageUs, memberUs }: ScaleCosts, { members }: Size): number {
  return messageUs + members * memberUs;
}

function count(traffic: PeerTraffic, { members, records }: Size, costs: ScaleCosts): void {
  traffic.messages += 1;
  traffic.members += members;
  traffic.records += records;
  traffic.bytes += members * costs.memberBytes + records * costs.recordBytes;
}

function sizeOf(said: PeerMessage | PeerAnswer): Size {
  switch (said.kind) {
    case "sync":
    case "synced":
      return { members: said.members.length + 1, records: said.batch?.records.length ?? 0 };
    case "tell":
      return { members: 0, records: said.records.length };
    case "told":
      return { members: 0, records: 0 };
    case "collectable":
      return { members: 0, records: "records" in said ? said.records.length : said.uuids.length };
  }
}
