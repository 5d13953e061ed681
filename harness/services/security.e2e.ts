/**
 * Goal    A replica with users serves who may, refuses who may not, says so once and gives nothing away.
 * Method  Real processes, unmodified ioredis. Everything a process shows is searched for the secrets it
 *         was given.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAftCluster } from "./aft-cluster.ts";
import { ServiceStartError, startModule } from "./child.ts";
import { startStorageService } from "./registry.ts";
import { type ReplicaService, startReplica } from "./replica.ts";
import {
  clientOf,
  directory,
  expectNoSecret,
  memory,
  metricsOf,
  secrets,
  told,
  users,
  usersFile,
  withSecretFiles,
} from "./testing/secured.ts";

withSecretFiles();

describe("a replica with users", () => {
  let replica: ReplicaService;
  beforeAll(async () => {
    replica = await startReplica({
      storage: memory,
      security: { usersFile },
      withAdmin: true,
      // Not one whose password a test changes: its client would try the old one again and again.
      administrator: { username: "watcher", password: secrets.watcher },
    });
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
    expect((await replica.stats()).committedTotal).toBe(2);
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
      10,
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

it("says once that its peers do not let it in, on both sides, and shows no secret", async () => {
  const store = await startStorageService("lmdb");
  const passwordFile = join(directory, "wrong-password");
  writeFileSync(passwordFile, secrets.wrong);
  const cluster = await startAftCluster({
    storage: { target: store.target },
    replicas: 2,
    managers: 0,
    security: { usersFile, peer: { username: "peer", passwordFile } },
    cluster: { multicastMs: 20 },
  });
  try {
    for (const one of cluster.processes()) {
      await expect.poll(() => one.log(), { timeout: 5_000 }).toContain("auth_limited");
      expect(told(one.log(), "peer_refused")).toHaveLength(1);
      expect(told(one.log(), "auth_failed")).toHaveLength(1);
      expectNoSecret(one.log());
    }
  } finally {
    await cluster.stop();
    await store.stop();
  }
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

  it("says that its storage cannot be reached, without the password in its URL", async () => {
    const urls = [`redis://user:${secrets.client}@127.0.0.1:1`];
    const target = { engine: "redis", urls, cluster: false };
    const config = { storage: { target }, listen: { host: "127.0.0.1", port: 0 } };
    const text = await startError({ AFT_REPLICA_CONFIG: JSON.stringify(config) });
    expect(text).toContain("redis");
  });

  it("says that replicas could not talk to each other", async () => {
    const config = {
      storage: memory,
      listen: { host: "127.0.0.1", port: 0 },
      security: { usersFile },
      cluster: { seeds: [] },
    };
    const text = await startError({ AFT_REPLICA_CONFIG: JSON.stringify(config) });
    expect(text).toContain("security.peer");
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
