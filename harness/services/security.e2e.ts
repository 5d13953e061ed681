/**
 * Goal    A secured replica serves who may, refuses who may not, says so once and gives nothing away.
 * Method  Real processes with users and certificates; unmodified ioredis, raw sockets, and a cluster
 *         whose members know each other by certificate. Everything a process shows is searched for
 *         the secrets it was given.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { Redis, type RedisOptions } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openStateSystem } from "#shim/state/registry.ts";
import { startAftCluster } from "./aft-cluster.ts";
import { ServiceStartError, startModule } from "./child.ts";
import { type ReplicaService, startReplica } from "./replica.ts";
import { startStorageService } from "./registry.ts";
import { type CertificateFiles, hasOpenssl, TestAuthority } from "./testing/certificates.ts";

const secrets = {
  client: "client-secret-0a1b2c",
  peer: "peer-secret-3d4e5f",
  admin: "admin-secret-6a7b8c",
  wrong: "wrong-secret-9d0e1f",
} as const;

const directory = mkdtempSync(join(tmpdir(), "aft-bench-security-"));
const usersFile = join(directory, "users.acl");
const passwordFile = join(directory, "peer-password");
const memory = { target: { engine: "memory" } } as const;

const users = [
  "# who may do what",
  `user default on #${createHash("sha256").update(secrets.client).digest("hex")} +@client`,
  `user peer on >${secrets.peer} +@peer`,
  `user ops on >${secrets.admin} +@client +@admin`,
  `user former off >${secrets.client} +@all`,
].join("\n");

beforeAll(() => {
  writeFileSync(usersFile, users);
  writeFileSync(passwordFile, `${secrets.peer}\n`);
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface ClientOptions extends Pick<RedisOptions, "username" | "password" | "tls"> {
  /** Sends nothing by itself, so that it may be a stranger for a while. */
  readonly bare?: true;
}

const clients: Redis[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function clientOf(replica: { readonly endpoint: string }, options: ClientOptions = {}): Redis {
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

async function metricsOf(address: string | undefined): Promise<Map<string, number>> {
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

function expectNoSecret(text: string): void {
  for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
}

/** Lines of a log about one kind of event. */
function told(log: string, kind: string): string[] {
  return log.split("\n").filter((line) => line.includes(`"kind":"${kind}"`));
}

describe("a replica with users", () => {
  let replica: ReplicaService;
  beforeAll(async () => {
    replica = await startReplica({ storage: memory, security: { usersFile }, withAdmin: true });
  });
  afterAll(async () => {
    await replica.stop();
  });

  it("serves an unmodified client that logs in, by password alone, by name and by HELLO", async () => {
    const byPassword = clientOf(replica, { password: secrets.client });
    expect(await byPassword.set("a", "1")).toBe("OK");
    expect(await byPassword.call("ACL", "WHOAMI")).toBe("default");
    const byName = clientOf(replica, { username: "ops", password: secrets.admin });
    expect(await byName.get("a")).toBe("1");
    expect(String(await byName.call("AFT.STATS"))).toContain("committedTotal");
    const byHello = clientOf(replica, { bare: true });
    const hello = await byHello.call("HELLO", "3", "AUTH", "ops", secrets.admin);
    expect(JSON.stringify(hello)).toContain("aft-bench");
    expect(await byHello.call("ACL", "WHOAMI")).toBe("ops");
  });

  it("lets a stranger only log in, and sends large commands away before that", async () => {
    const stranger = clientOf(replica, { bare: true });
    await expect(stranger.get("a")).rejects.toThrow("NOAUTH");
    await expect(stranger.call("AFT.PEER", "{}")).rejects.toThrow("NOAUTH");
    await expect(stranger.set("a", "x".repeat(2_000))).rejects.toThrow();
    const friend = clientOf(replica, { password: secrets.client });
    const large = "y".repeat(1_000_000);
    expect(await friend.set("large", large)).toBe("OK");
    expect(await friend.get("large")).toBe(large);
  });

  it("refuses commands of peers and administrators to clients, says so once and counts it", async () => {
    const before = await metricsOf(replica.adminAddress);
    const client = clientOf(replica, { password: secrets.client });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await expect(client.call("AFT.PEER", "{}")).rejects.toThrow(/NOPERM User default/);
      await expect(client.call("AFT.STATS")).rejects.toThrow("NOPERM");
    }
    const peer = clientOf(replica, { username: "peer", password: secrets.peer });
    await expect(peer.get("a")).rejects.toThrow("NOPERM");
    await expect(peer.call("AFT.PEER", "{}")).rejects.toThrow("AFT_NO_CLUSTER");
    const after = await metricsOf(replica.adminAddress);
    const name = "aft_refused_commands_total";
    expect((after.get(name) ?? 0) - (before.get(name) ?? 0)).toBe(41);
    expect(told(replica.log(), "command_refused")).toHaveLength(1);
  });

  it("reads its users again on SIGHUP: the old login ends, the new one holds; a bad file changes nothing", async () => {
    const client = clientOf(replica, { username: "ops", password: secrets.admin });
    expect(await client.ping()).toBe("PONG");
    const ended = new Promise((resolve) => client.once("close", resolve));
    writeFileSync(usersFile, users.replace(`>${secrets.admin}`, ">a-new-one-for-ops"));
    process.kill(replica.pids[0] ?? 0, "SIGHUP");
    await ended;
    const again = clientOf(replica, { username: "ops", password: "a-new-one-for-ops" });
    expect(await again.ping()).toBe("PONG");
    writeFileSync(usersFile, `user ops on ${secrets.admin}`);
    process.kill(replica.pids[0] ?? 0, "SIGHUP");
    await expect.poll(() => replica.log()).toContain("not reloaded");
    expect(await again.ping()).toBe("PONG");
    writeFileSync(usersFile, users);
    process.kill(replica.pids[0] ?? 0, "SIGHUP");
    await new Promise((resolve) => again.once("close", resolve));
  });

  // The last one: this machine's address is then out of attempts.
  it("checks no password for a while after many were wrong, says so once and counts it", async () => {
    const before = await metricsOf(replica.adminAddress);
    const answers: string[] = [];
    for (let attempt = 0; attempt < 30; attempt += 1) {
      const guesser = clientOf(replica, { bare: true });
      const username = attempt % 2 === 0 ? "default" : "former";
      const password = attempt % 2 === 0 ? secrets.wrong : secrets.client;
      answers.push(await guesser.auth(username, password).catch(String));
      guesser.disconnect();
    }
    expect(answers.slice(0, 10).every((answer) => answer.includes("WRONGPASS"))).toBe(true);
    expect(answers.filter((answer) => answer.includes("AFT_AUTH_LIMITED")).length).toBeGreaterThan(
      15,
    );
    const after = await metricsOf(replica.adminAddress);
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown("aft_auth_failures_total") + grown("aft_auth_limited_total")).toBe(30);
    expect(told(replica.log(), "auth_failed")).toHaveLength(1);
    expect(told(replica.log(), "auth_limited")).toHaveLength(1);
  });

  it("shows no secret in its log, its command line or its description", () => {
    expectNoSecret(replica.log());
    expectNoSecret(readFileSync(`/proc/${replica.pids[0]}/cmdline`, "utf8"));
    expectNoSecret(JSON.stringify(replica.description));
  });
});

describe("a replica that does not start", () => {
  const modulePath = new URL("../../shim/aft/server/main.ts", import.meta.url).pathname;

  async function startError(environment: Record<string, string>): Promise<string> {
    const error = await startModule({ name: "aft replica", modulePath, environment }).then(
      async (child) => {
        await child.stop();
        return "it started";
      },
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ServiceStartError);
    const text = String(error);
    expectNoSecret(text);
    return text;
  }

  it("refuses to serve other machines without users", async () => {
    const config = { storage: memory, listen: { host: "192.0.2.1", port: 0 } };
    const text = await startError({ AFT_REPLICA_CONFIG: JSON.stringify(config) });
    expect(text).toContain("listen.host");
    expect(text).toContain("no users are configured");
  });

  it("says what is wrong with its configuration without repeating it", async () => {
    const config = JSON.stringify({ storage: memory, listen: { port: "x" }, pass: secrets.client });
    expect(await startError({ AFT_REPLICA_CONFIG: config })).toContain("listen");
    expect(await startError({ AFT_REPLICA_CONFIG: `{"password":"${secrets.client}"` })).toContain(
      "is not JSON",
    );
    const listen = { host: "127.0.0.1", port: 0 };
    const text = await startError({
      AFT_REPLICA_CONFIG: JSON.stringify({ storage: memory, listen }),
      AFT_USERS: `user a on >${secrets.peer} +@client\nuser b on ${secrets.admin}`,
    });
    expect(text).toContain("AFT_USERS:2: rule 2 of the user is not understood");
  });
});

describe.skipIf(!hasOpenssl())("TLS", () => {
  let ca: string;
  let own: CertificateFiles;
  let foreign: CertificateFiles & { readonly caFile: string };
  let replica: ReplicaService;

  beforeAll(async () => {
    const authority = new TestAuthority(directory, "cluster-ca");
    const other = new TestAuthority(directory, "other-ca");
    ca = authority.caFile;
    own = authority.certificate("replica");
    foreign = { ...other.certificate("foreign"), caFile: other.caFile };
    const tls = { ...own, peerCaFile: ca };
    const security = { usersFile, tls };
    replica = await startReplica({ storage: memory, security, withAdmin: true });
  });
  afterAll(async () => {
    await replica.stop();
  });

  const trusting = (): ClientOptions => ({ tls: { ca: readFileSync(ca) } });

  it("serves an unmodified ioredis client with TLS and AUTH", async () => {
    const client = clientOf(replica, { ...trusting(), password: secrets.client });
    expect(await client.set("t", "1")).toBe("OK");
    expect(await client.multi().set("u", "2").get("t").exec()).toEqual([
      [null, "OK"],
      [null, "1"],
    ]);
    const large = "z".repeat(3_000_000);
    await client.set("large", large);
    expect(await client.get("large")).toBe(large);
    const wrong = clientOf(replica, { ...trusting(), bare: true });
    await expect(wrong.auth(secrets.wrong)).rejects.toThrow("WRONGPASS");
    await expect(client.call("AFT.PEER", "{}")).rejects.toThrow("NOPERM");
  });

  it("serves the functions' client, which keeps a transaction whole over TLS", async () => {
    const clientPassword = join(directory, "client-password");
    writeFileSync(clientPassword, secrets.client);
    const system = await openStateSystem({
      system: "aft",
      options: {
        endpoint: replica.endpoint,
        passwordFile: clientPassword,
        tls: { caFile: ca },
      },
    });
    try {
      const session = system.begin({ requestId: "tls" });
      await session.put("p", Buffer.from("1"));
      const next = system.resume(await session.suspend());
      expect(String(await next.get("p"))).toBe("1");
      expect((await next.commit()).kind).toBe("committed");
    } finally {
      await system.close();
    }
  });

  it("knows a peer by its certificate, and refuses one of another authority", async () => {
    const certificate = { cert: readFileSync(own.certFile), key: readFileSync(own.keyFile) };
    const peer = clientOf(replica, {
      tls: { ca: readFileSync(ca), ...certificate },
      bare: true,
    });
    await expect(peer.call("AFT.PEER", "{}")).rejects.toThrow("AFT_NO_CLUSTER");
    await expect(peer.get("t")).rejects.toThrow("NOPERM");
    const stranger = clientOf(replica, {
      tls: {
        ca: readFileSync(ca),
        cert: readFileSync(foreign.certFile),
        key: readFileSync(foreign.keyFile),
      },
      bare: true,
    });
    await expect(stranger.call("AFT.PEER", "{}")).rejects.toThrow();
    expect(told(replica.log(), "tls_error")).toHaveLength(1);
  });

  it("refuses plain clients and old TLS, says so once and counts it", async () => {
    const before = (await metricsOf(replica.adminAddress)).get("aft_tls_errors_total") ?? 0;
    const port = Number(replica.endpoint.split(":")[1]);
    for (let attempt = 0; attempt < 5; attempt += 1)
      await new Promise<void>((resolve) => {
        const socket = connect({ port, host: "127.0.0.1" });
        socket.on("error", () => {});
        socket.on("close", () => {
          resolve();
        });
        socket.write("*2\r\n$3\r\nGET\r\n$1\r\nt\r\n");
      });
    await new Promise<void>((resolve) => {
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        ca: readFileSync(ca),
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        resolve();
      });
    });
    const after = (await metricsOf(replica.adminAddress)).get("aft_tls_errors_total") ?? 0;
    expect(after - before).toBe(6);
    expect(told(replica.log(), "tls_error")).toHaveLength(1);
    expectNoSecret(replica.log());
  });

  it("lets two replicas and a manager with mutual TLS pass a commit on, and nobody else", async () => {
    const store = await startStorageService("lmdb");
    const tls = { ...own, caFile: ca, peerCaFile: ca };
    const cluster = await startAftCluster({
      storage: { target: store.target },
      replicas: 2,
      security: { usersFile, tls },
      withAdmin: true,
      cluster: { multicastMs: 50 },
    });
    try {
      const [first, second] = cluster.seeds.map((endpoint) =>
        clientOf({ endpoint }, { ...trusting(), password: secrets.client }),
      );
      await first?.set("passed", "on");
      await expect.poll(async () => second?.get("passed"), { timeout: 5_000 }).toBe("on");
      await expect(first?.call("AFT.PEER", "{}")).rejects.toThrow("NOPERM");
      const manager = cluster.processes("manager")[0];
      expect((await fetch(`http://${manager?.adminAddress}/readyz`)).status).toBe(200);
      await expect
        .poll(async () =>
          (await metricsOf(manager?.adminAddress)).get("aft_manager_known_transactions"),
        )
        .toBeGreaterThan(0);
      for (const one of cluster.processes()) {
        expectNoSecret(one.log());
        expectNoSecret(readFileSync(`/proc/${one.pid}/cmdline`, "utf8"));
      }
      expectNoSecret(JSON.stringify([cluster.description, cluster.events]));
    } finally {
      await cluster.stop();
      await store.stop();
    }
  });
});
