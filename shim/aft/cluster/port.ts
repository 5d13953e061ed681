/**
 * @module What peers say to each other, and the ports through which they do.
 *
 * All traffic is request and answer; replicas answer, replicas and managers ask. Any message may be
 * lost, repeated, late or overtaken: each one states facts (an entry of the membership, a durable
 * commit, how far a stream was heard) that are merged, never a step of a conversation.
 */
import type { CommitBatch } from "../protocol/commit-stream.ts";
import type { MemberReport } from "../protocol/members.ts";
import type { CommitRecord } from "../protocol/types.ts";

export type PeerMessage =
  | {
      readonly kind: "sync";
      readonly from: MemberReport;
      readonly members: readonly MemberReport[];
      /** How far the sender has heard the stream of `to`. */
      readonly heard: number;
      /**
       * Whom the sender believes to find at that address; absent if nobody it knows. Another one may
       * have taken it since.
       */
      readonly to?: string;
      /** From the sender's own stream. */
      readonly batch?: CommitBatch;
    }
  /** Commits found in storage that may have been broadcast by nobody. */
  | { readonly kind: "tell"; readonly records: readonly CommitRecord[] }
  /** Which of these superseded transactions does no reader of yours need any more? */
  | { readonly kind: "collectable"; readonly records: readonly CommitRecord[] };

export type PeerAnswer =
  | {
      readonly kind: "synced";
      readonly from: MemberReport;
      readonly members: readonly MemberReport[];
      readonly heard: number;
      readonly batch?: CommitBatch;
    }
  | { readonly kind: "told" }
  | {
      readonly kind: "collectable";
      /** Who answers, so that a vote counts for one incarnation only. */
      readonly from: MemberReport;
      readonly uuids: readonly string[];
    };

export interface Transport {
  /** Asks whoever answers at that address. Rejects when no answer came in time. */
  ask(address: string, message: PeerMessage): Promise<PeerAnswer>;
}

/** Who answers. */
export interface PeerEndpoint {
  /** Answers a message; never throws. */
  handle(message: PeerMessage): PeerAnswer;
  /** For clients that look for a replica. */
  members(): readonly MemberReport[];
}

/** Starts a replica somewhere; it joins by itself. */
export interface Launcher {
  launch(why: { readonly replaces: string }): Promise<void>;
}

export interface ClusterSettings {
  /** Addresses of some replicas, to find the others through; may contain one's own. */
  readonly seeds: readonly string[];
  /** Pause between two rounds of heartbeat, gossip and commit multicast. */
  readonly multicastMs: number;
  /** A replica that a manager has not heard for so long is declared dead. */
  readonly deadAfterMs: number;
  /** Commits in one message. */
  readonly maxBatch: number;
  /** Commits kept for peers that have not heard them. */
  readonly maxKept: number;
  /** How long a leaving replica waits for open transactions. */
  readonly drainMs: number;
}

export const defaultClusterSettings: ClusterSettings = {
  seeds: [],
  multicastMs: 1_000,
  deadAfterMs: 3_000,
  maxBatch: 1_000,
  maxKept: 50_000,
  drainMs: 15_000,
};
