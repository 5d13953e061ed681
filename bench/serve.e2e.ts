/**
 * Goal    `serve --replicas` is a cluster that repairs itself, and leaves nothing behind.
 * Method  The command as a user starts it, with users and a password file; one replica is killed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { afterEach, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const directory = mkdtempSync(join(tmpdir(), "aft-bench-serve-"));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(directory, { recursive: true, force: true });
});

interface Listed {
  readonly name: string;
  readonly endpoint: string;
  readonly pid: number;
  readonly admin: string;
}

/** Starts the command; resolves when so many processes are listed. */
async function serve(
  args: readonly string[],
  count: number,
): Promise<{
  readonly listed: readonly Listed[];
  readonly stderr: () => string;
  readonly stop: () => Promise<number | null>;
}> {
  const child = spawn(process.execPath, [join(root, "bench/cli.ts"), "serve", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  ends.push(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => {
    stderr += text.toString();
  });
  const listed: Listed[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^(\S+-\d+)(?: on (\S+))?, pid (\d+), admin on (\S+)$/.exec(line);
    if (found === null) continue;
    const [, name = "", endpoint = "", pid = "0", admin = ""] = found;
    listed.push({ name, endpoint, pid: Number(pid), admin });
    if (listed.length === count) break;
  }
  return {
    listed,
    stderr: () => stderr,
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill("SIGTERM");
      }),
  };
}

function connect(endpoint: string, password: string): Redis {
  const [host = "", port = ""] = endpoint.split(":");
  const client = new Redis({ host, port: Number(port), password, retryStrategy: () => 100 });
  client.on("error", () => {});
  ends.push(() => {
    client.disconnect();
  });
  return client;
}

it("serves a cluster, replaces a killed replica at its address, and ends with all its processes", async () => {
  const users = join(directory, "users.acl");
  const passwordFile = join(directory, "peer-password");
  writeFileSync(users, "user default on >for-clients +@client\nuser peer on >for-peers +@peer\n");
  writeFileSync(passwordFile, "for-peers");
  const cluster = await serve(
    [
      `--storage=lmdb:${join(directory, "data")}`,
      "--replicas=2",
      "--port=0",
      "--admin-port=0",
      `--users=${users}`,
      "--peer-user=peer",
      `--peer-password-file=${passwordFile}`,
    ],
    3,
  );
  const [first, second, manager] = cluster.listed;
  const [one, two] = [first, second].map((at) => connect(at?.endpoint ?? "", "for-clients"));
  await one?.set("k", "1");
  await expect.poll(async () => two?.get("k"), { timeout: 10_000 }).toBe("1");
  for (const { admin } of cluster.listed) {
    expect((await fetch(`${admin}/healthz`)).status).toBe(200);
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  }
  const metrics = await (await fetch(`${manager?.admin}/metrics`)).text();
  expect(metrics).toMatch(/aft_manager_is_leader 1/);

  process.kill(second?.pid ?? 0, "SIGKILL");
  await expect
    .poll(() => cluster.stderr(), { timeout: 20_000, interval: 100 })
    .toMatch(new RegExp(`dead: [^]*started: replica-\\d+ ${second?.endpoint}`));
  await expect.poll(async () => two?.get("k"), { timeout: 10_000 }).toBe("1");

  expect(await cluster.stop()).toBe(0);
  await expect(fetch(`${manager?.admin}/healthz`)).rejects.toThrow();
  for (const { pid } of cluster.listed) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
