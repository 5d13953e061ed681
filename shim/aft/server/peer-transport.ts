/**
 * @module Peers over the Redis protocol: one connection to each, AFT.PEER and its answer.
 *
 * A connection that failed is dropped, and the next message opens another: nothing is repeated here,
 * because what peers say is made to be lost.
 */
import { Redis } from "ioredis";
import { decodeAnswer, encodePeer } from "../cluster/codec.ts";
import type { Transport } from "../cluster/port.ts";
import type { PeerCredentials } from "./access/security.ts";

export interface PeerTransport extends Transport {
  close(): void;
}

/** What a server says to whom it does not know. */
const isRefusal = /^(NOAUTH|NOPERM|WRONGPASS|AFT_AUTH_LIMITED)\b/;

export function createPeerTransport(options: {
  readonly timeoutMs: number;
  /** Asked for every connection, because certificates are renewed. */
  readonly credentials: () => PeerCredentials;
  /** Told when a peer is there and will not have us, or we not it: a login or a certificate is wrong. */
  readonly onRefused?: (address: string, error: Error) => void;
}): PeerTransport {
  const { timeoutMs, credentials, onRefused } = options;
  const connections = new Map<string, Redis>();
  const drop = (address: string, redis: Redis): void => {
    redis.disconnect();
    if (connections.get(address) === redis) connections.delete(address);
  };
  const connect = (address: string): Redis => {
    const { tls, ...login } = credentials();
    const at = addressOf(address);
    const redis = new Redis({
      ...login,
      ...at,
      // Nobody listens between the ends of a Unix socket.
      ...(tls !== undefined && !("path" in at) && { tls }),
      lazyConnect: true,
      enableReadyCheck: false,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    // Errors reach whoever asked, but as "connection is closed", and nobody knows why.
    redis.on("error", (error: NodeJS.ErrnoException) => {
      if (!isAbsence(error)) onRefused?.(address, error);
    });
    connections.set(address, redis);
    return redis;
  };
  return {
    ask: async (address, message) => {
      const redis = connections.get(address) ?? connect(address);
      try {
        return decodeAnswer(String(await redis.call("AFT.PEER", encodePeer(message))));
      } catch (error) {
        if (error instanceof Error && isRefusal.test(error.message)) onRefused?.(address, error);
        drop(address, redis);
        throw error;
      }
    },
    close: () => {
      for (const [address, redis] of connections) drop(address, redis);
    },
  };
}

/** The peer is not there, as after a crash: others decide what that means. */
function isAbsence({ code, syscall, message }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || syscall !== undefined || /timed? ?out/i.test(message);
}

function addressOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
