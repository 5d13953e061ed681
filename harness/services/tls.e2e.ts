/**
 * Goal    TLS for clients, certificates for peers: who may is served, the rest is refused, once and counted.
 * Method  Real processes and certificates; unmodified ioredis, raw sockets, and a cluster whose members
 *         know each other by certificate.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStateSystem } from "#shim/state/registry.ts";
import { startAftCluster } from "./aft-cluster.ts";
import { type ReplicaService, startReplica } from "./replica.ts";
import { startStorageService } from "./registry.ts";
import { type CertificateFiles, hasOpenssl, TestAuthority } from "./testing/certificates.ts";
import {
  type ClientOptions,
  clientOf,
  clientPassword,
  directory,
  expectNoSecret,
  memory,
  metricsOf,
  secrets,
  told,
  usersFile,
  withSecretFiles,
} from "./testing/secured.ts";

withSecretFiles();

describe.skipIf(!hasOpenssl())("TLS", () => {
  let ca: string;
  let own: CertificateFiles;
  let renewed: CertificateFiles;
  let foreign: CertificateFiles & { readonly caFile: string };
  let replica: ReplicaService;

  beforeAll(async () => {
    const authority = new TestAuthority(directory, "cluster-ca");
    const other = new TestAuthority(directory, "other-ca");
    ca = authority.caFile;
    own = authority.certificate("replica");
    renewed = authority.certificate("renewed");
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

  it("takes a renewed certificate by itself, and keeps the old one while a new one is wrong", async () => {
    const files = {
      certFile: join(directory, "live.pem"),
      keyFile: join(directory, "live-key.pem"),
    };
    const use = (from: CertificateFiles): void => {
      writeFileSync(files.certFile, readFileSync(from.certFile));
      writeFileSync(files.keyFile, readFileSync(from.keyFile));
    };
    const shown = (endpoint: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ port: Number(endpoint.split(":")[1]), ca: readFileSync(ca) });
        socket.on("error", reject);
        socket.on("secureConnect", () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
      });
    use(own);
    const security = { usersFile, tls: files, reloadMs: 20 };
    const live = await startReplica({ storage: memory, security });
    try {
      expect(await shown(live.endpoint)).toBe("replica");
      writeFileSync(files.certFile, "half a certificate");
      await expect.poll(() => live.log()).toContain("the old ones stay");
      expect(await shown(live.endpoint)).toBe("replica");
      use(renewed);
      await expect.poll(() => shown(live.endpoint)).toBe("renewed");
    } finally {
      await live.stop();
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
      const system = await openStateSystem({
        system: "aft",
        options: { endpoints: cluster.seeds, passwordFile: clientPassword, tls: { caFile: ca } },
      });
      const session = system.begin({ requestId: "routed" });
      expect(String(await session.get("passed"))).toBe("on");
      await session.put("passed", Buffer.from("back"));
      expect((await session.commit()).kind).toBe("committed");
      await system.close();
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
