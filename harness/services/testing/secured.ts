/** @module For tests of secured replicas: users, their secrets, clients, and the search for secrets. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

export const secrets = {
  client: "client-secret-0a1b2c",
  peer: "peer-secret-3d4e5f",
  admin: "admin-secret-6a7b8c",
  watcher: "watcher-secret-2c3d4e",
  wrong: "wrong-secret-9d0e1f",
} as const;

export const directory = mkdtempSync(join(tmpdir(), "aft-bench-security-"));
export const usersFile = join(directory, "users.acl");
export const clientPassword = join(directory, "client-password");
export const memory = { target: { engine: "memory" } } as const;

export const users = [
  "# who may do what",
  `user default on #${createHash("sha256").update(secrets.client).digest("hex")} +@client`,
  `user peer on >${secrets.peer} +@peer`,
  `user ops on >${secrets.admin} +@client +@admin`,
  `user watcher on >${secrets.watcher} +@admin`,
  `user former off >${secrets.client} +@all`,
].join("\n");

/** Writes the files before the tests of a file, and takes everything away after them. */
export function withSecretFiles(): void {
  beforeAll(() => {
    writeFileSync(usersFile, users);
    writeFileSync(clientPassword, secrets.client);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });
}

export interface ClientOptions extends Pick<RedisOptions, "username" | "password" | "tls"> {
  /** Sends nothing by itself, so that it may be a stranger for a while. */
  readonly bare?: true;
}

const clients: Redis[] = [];

export function clientOf(
  replica: { readonly endpoint: string },
  options: ClientOptions = {},
): Redis {
  const [host = "", port = ""] = replica.endpoint.split(":");
  const { bare, ...login } = options;
  const client = new Redis({
    host,
    port: Number(port),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...(bare === true && { enableReadyCheck: false, protocol: 2 as const }),
    ...login,
  });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

export async function metricsOf(address: string | undefined): Promise<Map<string, number>> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  expectNoSecret(text);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line): [string, number] => {
      const [name = "", value] = line.split(" ");
      return [name, Number(value)];
    }),
  );
}

export function expectNoSecret(text: string): void {
  for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
}

/** Lines of a log about one kind of event. */
export function told(log: string, kind: string): string[] {
  return log.split("\n").filter((line) => line.includes(`"kind":"${kind}"`));
}
