/**
 * Goal    The container image has all that its processes need, and starts as the manifests start it.
 * Method  The Containerfile's COPY lines are carried out into an empty folder that sees only the packages
 *         the image installs; the command, the environment and the configuration files are those of the
 *         rendered pods, standard input is closed, as in a container. No container engine was at hand.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "#harness/services/free-port.ts";
import { startLmdb } from "#harness/services/local-stores.ts";
import type { StorageService } from "#harness/services/port.ts";
import { imageDependencies } from "./derived.ts";
import { managerConfig } from "./managers.ts";
import { checkDeployOptions, defaultDeployOptions } from "./options.ts";
import { replicaConfig } from "./replicas.ts";

const root = join(import.meta.dirname, "../../..");
const directory = mkdtempSync(join(tmpdir(), "aft-bench-image-"));
const app = join(directory, "app");
const containerfile = readFileSync(join(import.meta.dirname, "image/Containerfile"), "utf8");
const children: ChildProcess[] = [];
let store: StorageService;

beforeAll(async () => {
  store = await startLmdb();
  const lastStage = containerfile.slice(containerfile.lastIndexOf("FROM "));
  for (const [, from = "", to = ""] of lastStage.matchAll(/^COPY (?!--from)(\S+) (\S+)$/gm)) {
    const target = to.endsWith("/") ? join(app, to, from.split("/").at(-1) ?? "") : join(app, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, from), target, { recursive: true });
  }
  for (const name of imageDependencies) {
    const link = join(app, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await store.stop();
  rmSync(directory, { recursive: true, force: true });
});

const command = (keyword: string): string[] =>
  JSON.parse(
    new RegExp(`^${keyword} (\\[.*\\])$`, "m").exec(containerfile)?.[1] ?? "[]",
  ) as string[];

/** As a container engine would: ENTRYPOINT and arguments, nothing on standard input. */
function start(args: readonly string[], environment: Record<string, string>): ChildProcess {
  expect(command("ENTRYPOINT")).toEqual(["node"]);
  const child = spawn(process.execPath, args, {
    cwd: app,
    env: { AFT_STANDALONE: "1", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

function isHealthy(environment: Record<string, string>): boolean {
  const [node, ...args] =
    /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(containerfile)?.[1] === undefined
      ? []
      : (JSON.parse(/^HEALTHCHECK .*CMD (\[.*\])$/m.exec(containerfile)?.[1] ?? "[]") as string[]);
  expect(node).toBe("node");
  return spawnSync(process.execPath, args, { cwd: app, env: environment }).status === 0;
}

it("runs a replica and a fault manager from what the image holds, healthy until SIGTERM", async () => {
  const { tlsSecret: _none, ...plain } = defaultDeployOptions;
  const deployment = checkDeployOptions(plain);
  const usersFile = join(directory, "users.acl");
  const passwordFile = join(directory, "peer-password");
  writeFileSync(usersFile, "user default on >c +@client\nuser peer on >p +@peer\n");
  writeFileSync(passwordFile, "p");
  const [port, adminPort, managerAdminPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const storage = { target: store.target };
  const peer = { username: "peer", passwordFile };
  const replicaFile = join(directory, "replica.json");
  const managerFile = join(directory, "manager.json");
  writeFileSync(
    replicaFile,
    JSON.stringify({
      ...replicaConfig(deployment),
      storage,
      listen: { port },
      adminPort,
      security: { usersFile, peer },
      cluster: { seeds: [`127.0.0.1:${port}`], drainMs: 1_000 },
    }),
  );
  writeFileSync(
    managerFile,
    JSON.stringify({
      ...managerConfig(deployment),
      storage,
      adminPort: managerAdminPort,
      security: { peer },
      settings: { ...managerConfig(deployment).settings, seeds: [`127.0.0.1:${port}`] },
    }),
  );
  const common = { AFT_LISTEN_HOST: "127.0.0.1", AFT_ADMIN_PORT: String(adminPort) };
  expect(isHealthy(common)).toBe(false);
  const replica = start(command("CMD"), {
    ...common,
    AFT_ADVERTISE: `127.0.0.1:${port}`,
    AFT_REPLICA_CONFIG_FILE: replicaFile,
  });
  await expect.poll(() => isHealthy(common), { timeout: 10_000 }).toBe(true);
  const client = new Redis({ host: "127.0.0.1", port, password: "c" });
  await expect.poll(() => client.set("k", "v").catch(String), { timeout: 10_000 }).toBe("OK");
  client.disconnect();

  const manager = start(["shim/aft/server/manager-main.ts"], {
    AFT_LISTEN_HOST: "127.0.0.1",
    AFT_MANAGER_CONFIG_FILE: managerFile,
  });
  const ready = (): Promise<number> =>
    fetch(`http://127.0.0.1:${managerAdminPort}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(ready, { timeout: 10_000 }).toBe(200);

  for (const child of [manager, replica]) {
    const code = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    expect(await code).toBe(0);
  }
});
