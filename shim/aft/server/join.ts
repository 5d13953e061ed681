/** @module The cluster side of a replica process. */
import type { Clock } from "#kit/clock.ts";
import { PeerLoss } from "../cluster/peer-loss.ts";
import {
  type ClusterSettings,
  defaultClusterSettings,
  type PeerEndpoint,
} from "../cluster/port.ts";
import { type MemberEvent, ReplicaMember } from "../cluster/replica-member.ts";
import type { Replica } from "../replica/port.ts";
import type { PeerCredentials } from "./access/security.ts";
import { createPeerTransport } from "./peer-transport.ts";

/** How a replica is one of many; survives JSON. */
export interface ClusterConfig extends Partial<ClusterSettings> {
  /** Where others reach it; default: where it listens. */
  readonly advertise?: string;
  /** Allows administrators `AFT.DEBUG`. */
  readonly debug?: boolean;
}

export interface JoinedCluster {
  readonly member: ReplicaMember;
  /** Whom peers and clients ask. */
  readonly endpoint: PeerEndpoint;
  /** With `debug`. */
  readonly loss: PeerLoss | undefined;
  /** Finishes what is open, tells everybody, leaves. */
  leave(): Promise<void>;
}

/** Makes a replica a member; `join` on the member then reads the commit set and serves. */
export function openMember(options: {
  readonly config: ClusterConfig;
  readonly replica: Replica;
  /** Where it listens. */
  readonly address: string;
  readonly clock: Clock;
  readonly credentials: () => PeerCredentials;
  readonly onEvent: (event: MemberEvent) => void;
  readonly onRefused: (address: string, error: Error) => void;
}): JoinedCluster {
  const { config, replica, clock, onEvent, onRefused, credentials } = options;
  const { advertise, debug, ...settings } = config;
  const transport = createPeerTransport({
    timeoutMs: answerWithinMs(settings),
    credentials,
    onRefused,
  });
  const loss = debug === true ? new PeerLoss(clock) : undefined;
  const address = advertise ?? options.address;
  const member = new ReplicaMember({
    id: `${address}-${crypto.randomUUID().slice(0, 8)}`,
    address,
    peers: replica.peers,
    clock,
    transport: loss?.transport(transport) ?? transport,
    settings,
    onEvent,
  });
  return {
    member,
    endpoint: loss?.endpoint(member) ?? member,
    loss,
    leave: async () => {
      await member.leave();
      transport.close();
    },
  };
}

/** A peer that takes longer is silent; several attempts fit before it is declared dead. */
export function answerWithinMs(settings: Partial<ClusterSettings>): number {
  const { deadAfterMs } = { ...defaultClusterSettings, ...settings };
  return Math.max(100, Math.ceil(deadAfterMs / 3));
}
