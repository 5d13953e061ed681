/**
 * @module Who comes in: every connection from its first byte to its end, with what it may do.
 *
 * Strangers (not logged in, while users are configured) get little: small commands, and
 * `strangerWithinMs` to log in. So they cost no more than their socket.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PeerLoss } from "../cluster/peer-loss.ts";
import type { PeerEndpoint } from "../cluster/port.ts";
import type { Replica } from "../replica/port.ts";
import type { Access } from "./access/access.ts";
import { grants } from "./access/users.ts";
import type { ClientState } from "./command.ts";
import { serveConnection } from "./connection.ts";
import { ReadBuffer } from "./read-buffer.ts";
import type { RespLimits } from "./resp-parser.ts";
import type { ServerLimits } from "./server.ts";

/** For the handshake, and again for logging in. */
export const strangerWithinMs = 10_000;

/** Enough for AUTH and HELLO. */
const strangerLimits: RespLimits = {
  maxArguments: 16,
  maxBulkBytes: 1_024,
  maxCommandBytes: 8_192,
  maxInlineBytes: 1_024,
};

export interface DoorOptions {
  readonly replica: Replica;
  readonly cluster?: () => PeerEndpoint | undefined;
  readonly peerLoss?: () => PeerLoss | undefined;
  readonly access: Access;
  readonly limits: ServerLimits;
  readonly onBug: (error: unknown) => void;
  /** Told whenever requests have arrived. */
  readonly onRequests: () => void;
}

export class Door {
  readonly #options: DoorOptions;
  /** All, also during their handshake. */
  readonly #sockets = new Set<Socket>();
  /** Those that are served. */
  readonly #clients = new Map<Socket, ClientState>();
  readonly #readBuffer = new ReadBuffer();
  #nextId = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** A socket as it was accepted; one too many is sent away, and the answer is `false`. */
  knock(socket: Socket, isTls: boolean): boolean {
    if (this.#sockets.size >= this.#options.limits.maxConnections) {
      // Nothing can be said before a handshake.
      if (isTls) socket.destroy();
      else socket.end("-ERR max number of clients reached\r\n");
      return false;
    }
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
    });
    return true;
  }

  enterTls(socket: TLSSocket): void {
    // Node sends an empty object for "none".
    const shown = socket.getPeerCertificate() as { readonly raw?: Buffer };
    if (shown.raw !== undefined && !socket.authorized) {
      const message = `a client's certificate is not accepted: ${String(socket.authorizationError)}`;
      this.#options.access.noteTlsError({ remote: remoteOf(socket), message });
      socket.destroy();
      return;
    }
    this.enter(socket, shown.raw !== undefined);
  }

  /** Serves a socket; `isVerifiedPeer`: by its certificate. */
  enter(socket: Socket, isVerifiedPeer: boolean): void {
    const { replica, cluster, peerLoss, access, limits, onBug } = this.#options;
    this.#nextId += 1;
    const ownGrants = access.grantsOf({ isVerifiedPeer });
    const isStranger = ownGrants === grants.none;
    // The parser looks at its limits for every command.
    const own = isStranger ? { ...limits, ...strangerLimits } : limits;
    const timer = isStranger
      ? setTimeout(() => {
          socket.destroy();
        }, strangerWithinMs)
      : undefined;
    const client: ClientState = {
      id: this.#nextId,
      replica,
      cluster,
      peerLoss,
      access,
      remote: remoteOf(socket),
      grants: ownGrants,
      ownGrants,
      login: undefined,
      onLogin: () => {
        clearTimeout(timer);
        if (isStranger) Object.assign(own, limits);
      },
      respVersion: 2,
      mayBeLater: false,
      name: "",
      queued: undefined,
      queueFailed: false,
      closing: false,
    };
    this.#clients.set(socket, client);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#clients.delete(socket);
    });
    const { onRequests } = this.#options;
    const readBuffer = this.#readBuffer;
    serveConnection({ socket, limits: own, readBuffer, onBug, client, onRequests });
  }

  renewLogins(): void {
    for (const [socket, client] of this.#clients) {
      if (client.login === undefined) continue;
      const renewed = this.#options.access.renewed(client.login);
      if (renewed === undefined) socket.destroy();
      else client.grants = client.ownGrants | renewed;
    }
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Behind a Unix socket everybody has the same address. */
export function remoteOf(socket: Socket): string {
  return socket.remoteAddress ?? "local";
}
