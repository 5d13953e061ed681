/**
 * @module The listening side: sockets, limits on connections, authentication, the admin port.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { ProjectError } from "#kit/errors.ts";
import type { PeerEndpoint } from "../cluster/port.ts";
import type { Replica } from "../replica/port.ts";
import { type ConnectionLimits, serveConnection } from "./connection.ts";

export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string };

export interface ServerOptions {
  readonly replica: Replica;
  readonly cluster?: () => PeerEndpoint | undefined;
  readonly listen: ListenAddress;
  readonly password?: string;
  readonly limits?: Partial<ServerLimits>;
  readonly onBug: (error: unknown) => void;
}

export interface ServerLimits extends ConnectionLimits {
  /** Further clients are told so and disconnected. */
  readonly maxConnections: number;
}

export const defaultServerLimits: ServerLimits = {
  maxArguments: 20_010,
  maxBulkBytes: 16 * 1_048_576,
  maxCommandBytes: 64 * 1_048_576,
  maxInlineBytes: 65_536,
  maxPendingReplies: 1_024,
  maxOutputBytes: 64 * 1_048_576,
  maxConnections: 10_000,
};

export interface AftServer {
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly address: string;
  readonly connections: number;
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
  const limits = { ...defaultServerLimits, ...options.limits };
  const checkPassword = passwordCheck(options.password);
  const sockets = new Set<Socket>();
  let nextId = 0;
  const server = createServer((socket) => {
    if (sockets.size >= limits.maxConnections) {
      socket.end("-ERR max number of clients reached\r\n");
      return;
    }
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
    });
    nextId += 1;
    serveConnection({
      socket,
      limits,
      onBug: options.onBug,
      client: {
        id: nextId,
        replica: options.replica,
        cluster: options.cluster,
        checkPassword,
        authenticated: checkPassword === undefined,
        respVersion: 2,
        name: "",
        queued: undefined,
        queueFailed: false,
        closing: false,
      },
    });
  });
  await bind(server, options.listen);
  return {
    address: addressOf(server, options.listen),
    get connections() {
      return sockets.size;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Compares in constant time, over hashes, so that not even the length shows. */
function passwordCheck(password: string | undefined): ((given: Buffer) => boolean) | undefined {
  if (password === undefined) return undefined;
  const expected = createHash("sha256").update(password).digest();
  return (given) => timingSafeEqual(createHash("sha256").update(given).digest(), expected);
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
