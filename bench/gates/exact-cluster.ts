/**
 * @module What two replicas say to each other while one of them commits: messages and bytes, as encoded for
 * the network, on the stepped clock. Heartbeats are in it, because they carry the commits.
 */
import { createPrng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import type { ExactCase } from "#harness/gate/exact.ts";
import { decodeAnswer, decodeMessage, encodePeer } from "#shim/aft/cluster/codec.ts";
import type { PeerEndpoint, Transport } from "#shim/aft/cluster/port.ts";
import { ReplicaMember } from "#shim/aft/cluster/replica-member.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import { createClient, ExactRunError, exactParameters, settleUs, watched } from "./exact-parts.ts";
import { createSteppedClock } from "./stepped-clock.ts";

/** A few rounds of gossip, so that batches of the usual size are sent. */
const betweenUs = 20_000;

interface Said {
  messages: number;
  bytes: number;
}

/** A network that loses nothing and counts what it carries, both ways. */
function countingTransport(endpoints: ReadonlyMap<string, PeerEndpoint>, said: Said): Transport {
  return {
    ask: (address, message) => {
      const endpoint = endpoints.get(address);
      if (endpoint === undefined) return Promise.reject(new ExactRunError("connection refused"));
      const text = encodePeer(message);
      const answer = encodePeer(endpoint.handle(decodeMessage(text)));
      said.messages += 2;
      said.bytes += Buffer.byteLength(text) + Buffer.byteLength(answer);
      return Promise.resolve(decodeAnswer(answer));
    },
  };
}

export async function runClusterCase(): Promise<ExactCase> {
  const clock = createSteppedClock();
  const { engine, idle } = watched(createMemoryEngine());
  const endpoints = new Map<string, PeerEndpoint>();
  const said: Said = { messages: 0, bytes: 0 };
  const scope = new Scope();
  const start = async (address: string): Promise<Replica> => {
    const replica = scope.own(
      await createReplica({
        storage: engine,
        clock,
        prng: createPrng(exactParameters.seed).fork(address),
        deferRecovery: true,
        settings: { storageGc: "off", orphanSweepMs: 0 },
      }),
    );
    const member = new ReplicaMember({
      id: `${address}-1`,
      address,
      peers: replica.peers,
      clock,
      transport: countingTransport(endpoints, said),
      settings: { seeds: ["r1:1", "r2:1"] },
    });
    scope.add(() => {
      member.close();
    });
    endpoints.set(address, member);
    void member.join();
    return replica;
  };
  try {
    const [first, second] = [await start("r1:1"), await start("r2:1")];
    // Both read the commit set and hear of each other.
    for (let passed = 0; passed < joinSeconds; passed += 1) await clock.advance(settleUs, idle);
    const workload = createPaperWorkload(exactParameters, exactParameters.seed);
    const client = createClient({ replica: first, clock, workload });
    const before = { ...said };
    for (let index = 0; index < exactParameters.transactions; index += 1) {
      await client.run(workload.request(0, index));
      await clock.advance(betweenUs, idle);
    }
    await clock.advance(settleUs, idle);
    await clock.advance(settleUs, idle);
    if (second.stats().knownKeys !== first.stats().knownKeys)
      throw new ExactRunError("the second replica has not heard of every commit");
    return {
      committed: exactParameters.transactions,
      peerMessages: said.messages - before.messages,
      multicastBytes: said.bytes - before.bytes,
      transactionsRetained: second.stats().knownTransactions,
    };
  } finally {
    await scope.close();
  }
}

const joinSeconds = 5;
