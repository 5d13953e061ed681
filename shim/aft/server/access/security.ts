/**
 * @module Security of a process as configured: users, certificates, and how it logs in at its peers.
 * Everything secret is in files (or, for containers, in two environment variables that `main.ts`
 * hands over), so that a configuration may be printed.
 */
import { createHash } from "node:crypto";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { RedisOptions } from "ioredis";
import { ConfigError } from "#kit/errors.ts";
import { readSecret, readText, readTlsFiles, type TlsFiles } from "#kit/node/secret-files.ts";
import { Access, type AccessEvent } from "./access.ts";
import { parseUsers, type Users, usersOfPassword } from "./users.ts";

export interface ServerTlsFiles extends TlsFiles {
  /**
   * Whoever shows a certificate signed by this authority is a peer. It must sign for nobody else.
   * Without it a peer is a user with +@peer.
   */
  readonly peerCaFile?: string;
}

/** How a process logs in at its peers. */
export interface PeerLogin {
  /** Default: `default`. */
  readonly username?: string;
  readonly passwordFile?: string;
}

/** Survives JSON; holds no secret. */
export interface SecurityConfig {
  /** Users, as `users.ts` reads them. Without: everybody may do everything. */
  readonly usersFile?: string;
  /** `certFile` and `keyFile` make the server speak TLS, and only TLS. `caFile` is for its peers. */
  readonly tls?: ServerTlsFiles;
  readonly peer?: PeerLogin;
  /** Serves other machines without users. Only where something else keeps strangers out. */
  readonly allowUnprotected?: boolean;
  /**
   * How often files are looked at for changes, because certificates are renewed by others; 0: never,
   * only when told to. Default: every minute.
   */
  readonly reloadMs?: number;
}

export const defaultReloadMs = 60_000;

/** Secrets that are given as text. */
export interface SecretTexts {
  readonly users?: string;
  readonly peerPassword?: string;
  /** One password for everything: users, and the login at peers. */
  readonly password?: string;
}

/** Credentials and TLS, as ioredis has them. */
export type PeerCredentials = Pick<RedisOptions, "username" | "password" | "tls">;

export interface Security {
  readonly access: Access;
  /** Read again each time. @throws ConfigError */
  readonly serverTls: () => TlsOptions | undefined;
  /** Reads users again. @throws ConfigError; then the old ones stay. */
  readonly reloadUsers: () => void;
  /** Whether a file has changed since it was last asked. Never throws. */
  readonly hasChanged: () => boolean;
}

export function openSecurity(options: {
  readonly config: SecurityConfig;
  readonly secrets: SecretTexts;
  readonly nowMs: () => number;
  readonly onEvent: (event: AccessEvent) => void;
}): Security {
  const { config, secrets, nowMs, onEvent } = options;
  const users = readUsers(config, secrets);
  const hasPeersAuthority = config.tls?.peerCaFile !== undefined;
  const access = new Access({
    ...(users !== undefined && { users }),
    hasPeersAuthority,
    nowMs,
    onEvent,
  });
  const serverTls = (): TlsOptions | undefined => readServerTls(config.tls);
  // What is wrong with the files is said at the start.
  serverTls();
  let seen = fingerprint(config);
  return {
    hasChanged: () => {
      const before = seen;
      seen = fingerprint(config);
      return seen !== before;
    },
    access,
    serverTls,
    reloadUsers: () => {
      const renewed = readUsers(config, secrets);
      if (renewed !== undefined) access.replaceUsers(renewed);
    },
  };
}

/** How this process connects to its peers, read anew. @throws ConfigError */
export function readPeerCredentials(config: SecurityConfig, secrets: SecretTexts): PeerCredentials {
  const { peer = {}, tls } = config;
  const password =
    peer.passwordFile === undefined
      ? (secrets.peerPassword ?? secrets.password)
      : readSecret(peer.passwordFile, "security.peer.passwordFile");
  return {
    ...(peer.username !== undefined && { username: peer.username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: readTlsFiles(tls, "security.tls") }),
  };
}

/** Of all files together; one that cannot be read counts as empty, as during a replacement. */
function fingerprint({ usersFile, tls = {} }: SecurityConfig): string {
  const { certFile, keyFile, peerCaFile } = tls;
  const hash = createHash("sha256");
  for (const file of [usersFile, certFile, keyFile, peerCaFile]) {
    if (file === undefined) continue;
    try {
      hash.update(readText(file, "security"));
    } catch {
      hash.update("unreadable");
    }
  }
  return hash.digest("hex");
}

function readUsers(config: SecurityConfig, secrets: SecretTexts): Users | undefined {
  const { usersFile } = config;
  const { users, password } = secrets;
  const given = [usersFile, users, password].filter((one) => one !== undefined);
  if (given.length > 1) {
    const what = "users are given twice: by file, by text or by password";
    throw new ConfigError([{ where: "security", what }]);
  }
  if (usersFile !== undefined)
    return parseUsers(readText(usersFile, "security.usersFile"), usersFile);
  if (users !== undefined) return parseUsers(users, "AFT_USERS");
  return password === undefined ? undefined : usersOfPassword(password);
}

function readServerTls(files: ServerTlsFiles | undefined): TlsOptions | undefined {
  if (files?.certFile === undefined) {
    if (files?.peerCaFile === undefined) return undefined;
    const what = "peers can show certificates only to a server that has one";
    throw new ConfigError([{ where: "security.tls.peerCaFile", what, hint: "certFile, keyFile" }]);
  }
  const { peerCaFile, caFile: _others, ...own } = files;
  const context: SecureContextOptions = readTlsFiles(own, "security.tls");
  if (peerCaFile === undefined) return context;
  const { ca } = readTlsFiles({ caFile: peerCaFile }, "security.tls.peerCaFile");
  // Clients have none; what they may do then is decided by their login.
  return { ...context, ca, requestCert: true, rejectUnauthorized: false };
}

/** Whether only this machine reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** As Redis' protected mode. @throws ConfigError */
export function refuseUnprotected(options: {
  readonly host: string;
  readonly hasUsers: boolean;
  readonly config: SecurityConfig;
}): void {
  const { host, hasUsers, config } = options;
  if (hasUsers || config.allowUnprotected === true || isLoopback(host)) return;
  throw new ConfigError([
    {
      where: "listen.host",
      what: `${host} is reached from other machines, and no users are configured`,
      hint: "security.usersFile or AFT_USERS; or security.allowUnprotected",
    },
  ]);
}
