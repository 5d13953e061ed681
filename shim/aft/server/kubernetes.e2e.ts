/**
 * Goal    A hung replica's pod is deleted through the Kubernetes API, and nothing else is.
 * Method  A small HTTPS server in place of the API server checks every request; the certificate is real.
 *         No cluster was at hand: what a real API server does with these requests is not tested.
 */
import dns from "node:dns";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startModule } from "#harness/services/child.ts";
import { freePort } from "#harness/services/free-port.ts";
import { startLmdb } from "#harness/services/local-stores.ts";
import { hasOpenssl, TestAuthority } from "#harness/services/testing/certificates.ts";
import { KubernetesError, PodReplacer } from "./kubernetes.ts";
import { type RunningEvent, startManager } from "./manager.ts";

const id = "aft-1.aft-peers.apps.svc.cluster.local:6390-0a1b2c3d";
const path = "/api/v1/namespaces/apps/pods/aft-1";
const nowMs = Date.parse("2026-11-25T12:00:00Z");
const directory = mkdtempSync(join(tmpdir(), "aft-bench-kubernetes-"));

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

describe.skipIf(!hasOpenssl())("the pod of a silent replica", () => {
  let server: Server;
  let apiServer: string;
  const asked: Asked[] = [];
  let answer: (request: Asked) => { status: number; body: unknown };

  beforeAll(async () => {
    const authority = new TestAuthority(directory, "ca.crt");
    const { certFile, keyFile } = authority.certificate("api");
    writeFileSync(join(directory, "ca.crt"), readFileSync(authority.caFile));
    writeFileSync(join(directory, "namespace"), "apps");
    const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    server = createServer(tls, (request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        const one: Asked = {
          method: request.method ?? "",
          path: request.url ?? "",
          authorization: request.headers.authorization ?? "",
          body: text === "" ? undefined : (JSON.parse(text) as unknown),
        };
        asked.push(one);
        const { status, body } = answer(one);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    apiServer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    asked.length = 0;
    writeFileSync(join(directory, "token"), "token-1\n");
    answer = ({ method }) => ({ status: 200, body: method === "GET" ? pod() : {} });
  });

  const replace = (dead: { id: string; silentMs: number } = { id, silentMs: 3_000 }) =>
    new PodReplacer(
      { statefulSet: "aft", apiServer, accountDirectory: directory },
      { nowMs: () => nowMs },
    ).replace(dead);

  function pod(state: object = { running: { startedAt: "2026-11-25T11:00:00Z" } }, more = {}) {
    return {
      kind: "Pod",
      metadata: { uid: "uid-1", ...more },
      status: { containerStatuses: [{ state }] },
    };
  }

  it("is deleted by name and identity, with the account's token and little grace", async () => {
    expect(await replace()).toBe("deleted");
    expect(asked).toEqual([
      { method: "GET", path, authorization: "Bearer token-1", body: undefined },
      {
        method: "DELETE",
        path,
        authorization: "Bearer token-1",
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          gracePeriodSeconds: 1,
          preconditions: { uid: "uid-1" },
        },
      },
    ]);
    writeFileSync(join(directory, "token"), "token-2");
    await replace();
    expect(asked.at(-1)?.authorization).toBe("Bearer token-2");
  });

  it.each([
    ["has ended", { terminated: {} }, {}],
    ["waits", { waiting: {} }, {}],
    ["was started after the silence began", { running: { startedAt: "2026-11-25T11:59:58Z" } }, {}],
    ["may have been, by clocks", { running: { startedAt: "2026-11-25T11:59:55Z" } }, {}],
    [
      "is being deleted",
      { running: { startedAt: "2026-11-25T11:00:00Z" } },
      { deletionTimestamp: "2026-11-25T11:59:59Z" },
    ],
  ])("is left alone when it %s", async (_when, state, metadata) => {
    answer = () => ({ status: 200, body: pod(state, metadata) });
    expect(await replace()).toBe("already_restarted");
    expect(asked.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("may be gone, or another by now", async () => {
    answer = () => ({ status: 404, body: {} });
    expect(await replace()).toBe("gone");
    answer = ({ method }) =>
      method === "GET" ? { status: 200, body: pod() } : { status: 409, body: {} };
    expect(await replace()).toBe("already_restarted");
  });

  it("is not looked for where the name is none of the StatefulSet's", async () => {
    for (const other of ["127.0.0.1:6390-0a1b2c3d", "aft-x.peers:1-0a", "other-1.peers:1-0a", ""])
      expect(await replace({ id: other, silentMs: 3_000 })).toBe("not_ours");
    expect(asked).toEqual([]);
  });

  it("is reported when the API refuses or cannot be trusted, without the token", async () => {
    answer = () => ({ status: 403, body: { message: 'pods "aft-1" is forbidden' } });
    const refused = await replace().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(KubernetesError);
    expect(String(refused)).toContain("403: pods");
    expect(String(refused)).not.toContain("token-1");
    answer = () => ({ status: 200, body: { kind: "Status" } });
    await expect(replace()).rejects.toThrow("is no pod");
    const other = new TestAuthority(directory, "other");
    const trusted = readFileSync(join(directory, "ca.crt"));
    writeFileSync(join(directory, "ca.crt"), readFileSync(other.caFile));
    await expect(replace()).rejects.toThrow("cannot be reached");
    writeFileSync(join(directory, "ca.crt"), trusted);
  });

  it("is deleted within five seconds of a replica's hanging", async () => {
    const store = await startLmdb();
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((
      _name: string,
      options: { all?: boolean },
      callback: (error: null, found: unknown, family?: number) => void,
    ) => {
      if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    }) as never);
    const port = await freePort();
    const advertise = `aft-1.aft-peers.test:${port}`;
    const replica = await startModule({
      name: "aft replica",
      modulePath: new URL("main.ts", import.meta.url).pathname,
      environment: {
        AFT_REPLICA_CONFIG: JSON.stringify({
          storage: { target: store.target },
          listen: { host: "127.0.0.1", port },
          cluster: { advertise, seeds: [] },
        }),
      },
    });
    const events: RunningEvent[] = [];
    const running = await startManager(
      {
        storage: { target: store.target },
        settings: { seeds: [advertise] },
        launcher: "kubernetes",
        kubernetes: { statefulSet: "aft", apiServer, accountDirectory: directory },
      },
      { onEvent: (event) => events.push(event) },
    );
    try {
      process.kill(replica.pid, "SIGSTOP");
      await expect
        .poll(() => events.find(({ kind }) => kind === "pod"), { timeout: 5_000 })
        .toMatchObject({ kind: "pod", decision: "deleted" });
      expect(asked.map(({ method, path: at }) => `${method} ${at}`)).toEqual([
        `GET ${path}`,
        `DELETE ${path}`,
      ]);
    } finally {
      process.kill(replica.pid, "SIGCONT");
      await running.close();
      await replica.stop();
      await store.stop();
      lookup.mockRestore();
    }
  });
});
