/**
 * @module The listening side: TCP, TLS or a Unix socket, opened and closed; who comes in: `door.ts`.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer, type TlsOptions } from "node:tls";
import type { Clock } from "#kit/clock.ts";
import { ProjectError } from "#kit/errors.ts";
import type { PeerLoss } from "../cluster/peer-loss.ts";
import type { PeerEndpoint } from "../cluster/port.ts";
import type { Replica } from "../replica/port.ts";
import { BusyPoll } from "./busy-poll.ts";
import type { Access } from "./access/access.ts";
import type { ConnectionLimits } from "./connection.ts";
import { Door, remoteOf, strangerWithinMs } from "./door.ts";

export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string };

export interface ServerOptions {
  readonly replica: Replica;
  readonly cluster?: () => PeerEndpoint | undefined;
  readonly peerLoss?: () => PeerLoss | undefined;
  readonly listen: ListenAddress;
  readonly access: Access;
  /** Absent: unencrypted. Of no effect on a Unix socket. */
  readonly tls?: TlsOptions;
  readonly limits?: Partial<ServerLimits>;
  readonly onBug: (error: unknown) => void;
  readonly clock: Clock;
}

export interface ServerLimits extends ConnectionLimits {
  /** Further clients are told so and disconnected. */
  readonly maxConnections: number;
  /** How long to look for the next request before sleeping; 0: not at all. */
  readonly busyPollUs: number;
}

export const defaultServerLimits: ServerLimits = {
  maxArguments: 20_010,
  maxBulkBytes: 16 * 1_048_576,
  maxCommandBytes: 64 * 1_048_576,
  maxInlineBytes: 65_536,
  maxPendingReplies: 1_024,
  maxOutputBytes: 64 * 1_048_576,
  maxConnections: 10_000,
  busyPollUs: 150,
};

export interface AftServer {
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly address: string;
  readonly connections: number;
  /** Cuts connections whose user is gone, off or has another password; others get its new rights. */
  renewLogins(): void;
  /** For connections from now on. */
  renewTls(tls: TlsOptions): void;
  /** Stops listening and cuts what is connected. Idempotent. */
  close(): Promise<void>;
}

/** The address is taken, or may not be used. */
export class ListenError extends ProjectError {
  readonly code = "cannot_listen";
  readonly disposition = "abort";

  constructor(listen: ListenAddress, options: { cause: unknown }) {
    const where = "path" in listen ? listen.path : `${listen.host}:${listen.port}`;
    super(`cannot listen on ${where}; is it in use?`, options);
  }
}

/** Serves until closed. Rejects with `ListenError`. */
export async function startServer(options: ServerOptions): Promise<AftServer> {
  const { access, listen, tls } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const poll = new BusyPoll(options.clock, limits.busyPollUs);
  const door = new Door({
    ...options,
    limits,
    onRequests: () => {
      poll.noteRequest();
    },
  });
  const isTls = tls !== undefined && !("path" in listen);
  const server = isTls
    ? createTlsServer({ ...tls, handshakeTimeout: strangerWithinMs }, (socket) => {
        door.enterTls(socket);
      })
    : createServer();
  server.on("connection", (socket: Socket) => {
    // With TLS there is a handshake first.
    if (door.knock(socket, isTls) && !isTls) door.enter(socket, false);
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // Gone without a word, as load balancers' probes are.
    if (error.code === "ECONNRESET") return;
    const message = `no TLS: ${error.code ?? error.message}`;
    access.noteTlsError({ remote: remoteOf(socket), message });
  });
  await bind(server, listen);
  return {
    address: addressOf(server, listen),
    get connections() {
      return door.connections;
    },
    renewLogins: () => {
      door.renewLogins();
    },
    renewTls: (renewed) => {
      if (server instanceof TlsServer) server.setSecureContext(renewed);
    },
    close: async () => {
      door.cutAll();
      if (!server.listening) return;
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function bind(server: Server, address: ListenAddress): Promise<void> {
  // A socket file left by a killed process would keep the next one from listening.
  if ("path" in address) await rm(address.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new ListenError(address, { cause }));
    });
    server.listen({ ...address, backlog: 511 }, resolve);
  });
  if ("path" in address) await chmod(address.path, 0o700);
}

function addressOf(server: Server, address: ListenAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return `${address.host}:${port}`;
}
