/** @module What peers ask each other, over the simulated network: as text, or as it is (cheaper). */
import { decodeAnswer, decodeMessage, encodePeer } from "#shim/aft/cluster/codec.ts";
import type { PeerAnswer, PeerMessage, Transport } from "#shim/aft/cluster/port.ts";
import type { SimNetwork } from "./network.ts";
import type { SimProcess } from "./process.ts";
import type { ServingReplica } from "./server.ts";
import { digestPair, digestText } from "./trace.ts";

/** A peer did not answer, or is not there. */
class PeerSilent extends Error {}

export function createSimTransport(options: {
  readonly process: SimProcess;
  readonly network: SimNetwork;
  readonly servingAt: (address: string) => ServingReplica | undefined;
  readonly timeoutUs: number;
  /** Through the production codec. */
  readonly asText: boolean;
}): Transport {
  const { process, network, servingAt, timeoutUs, asText } = options;
  const from = process.name;
  return {
    ask: (to, message) =>
      new Promise<PeerAnswer>((resolve, reject) => {
        const timer = process.schedule(timeoutUs, () => {
          reject(new PeerSilent("no answer in time"));
        });
        const settle = (work: () => PeerAnswer): void => {
          process.receive(() => {
            timer.cancel();
            try {
              resolve(work());
            } catch (error) {
              reject(error instanceof Error ? error : new PeerSilent(String(error)));
            }
          });
        };
        const text = asText ? encodePeer(message) : "";
        const way = { from, to, owner: process.owner, digest: digestMessage(message) };
        network.datagram(way, () => {
          const serving = servingAt(to);
          if (serving?.member === undefined) {
            const back = { from: to, to: from, owner: process.owner, digest: 1 };
            network.datagram(back, () => {
              settle(() => {
                throw new PeerSilent("connection refused");
              });
            });
            return;
          }
          const { member } = serving;
          serving.process.receive(() => {
            const heard = asText ? decodeMessage(text) : message;
            const answer = member.handle(heard);
            const said = asText ? encodePeer(answer) : "";
            const back = { from: to, to: from, owner: process.owner, digest: digestAnswer(answer) };
            network.datagram(back, () => {
              settle(() => (asText ? decodeAnswer(said) : answer));
            });
          });
        });
      }),
  };
}

/** Of the kinds there are, made once. */
const kindDigests = new Map<string, number>(
  ["sync", "tell", "collectable", "synced", "told"].map((kind) => [kind, digestText(kind)]),
);

function digestKind(kind: string): number {
  return kindDigests.get(kind) ?? digestText(kind);
}

function digestMessage(message: PeerMessage): number {
  const kind = digestKind(message.kind);
  if (message.kind !== "sync") return digestPair(kind, message.records.length);
  const { heard, batch, members } = message;
  return digestPair(digestPair(kind, heard), digestPair(batch?.upTo ?? 0, members.length));
}

function digestAnswer(answer: PeerAnswer): number {
  const kind = digestKind(answer.kind);
  if (answer.kind === "told") return kind;
  if (answer.kind === "collectable") return digestPair(kind, answer.uuids.length);
  const { heard, batch, members } = answer;
  return digestPair(digestPair(kind, heard), digestPair(batch?.upTo ?? 0, members.length));
}
