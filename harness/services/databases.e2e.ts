/**
 * Goal    PostgreSQL and etcd, as the suite starts them, are private, durable and gone when they are to be.
 * Method  Real servers; what they listen on is read from the kernel, and a parent is killed.
 */
import { existsSync, readFileSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, NotAvailableError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { type EtcdService, startEtcd } from "./etcd.ts";
import { type PostgresService, startPostgres } from "./postgres.ts";
import { bindable, directoryOf, endsWithParent, listening } from "./testing/what-is-left.ts";
import { etcdMissing, hasEtcd, hasPostgres, postgresMissing } from "./testing.ts";

describe.skipIf(!hasPostgres())(`PostgreSQL (skipped if ${postgresMissing})`, () => {
  let service: PostgresService;

  beforeAll(async () => {
    service = await startPostgres();
  });
  afterAll(() => service.stop());

  it("serves one database on loopback alone, by processes that it names", async () => {
    expect(listening(service.port)).toEqual(["127.0.0.1"]);
    const client = await connected(service.url);
    const { rows } = await client.query<Record<string, unknown>>(
      "SELECT pg_backend_pid() AS pid, current_user AS name, rolsuper FROM pg_roles WHERE rolname = current_user",
    );
    expect(rows).toEqual([{ pid: expect.any(Number), name: "aft_bench", rolsuper: false }]);
    expect(service.pids).toContain(rows[0]?.["pid"]);
    await client.end();
    const asSuperuser = service.url.replace("aft_bench@", "postgres@");
    await expect(connected(asSuperuser)).rejects.toThrow("pg_hba.conf");
  });

  it("says what a commit survives, and keeps it when it is killed", async () => {
    expect(service.description["durability"]).toBe("fsync on, synchronous_commit on");
    const client = await connected(service.url);
    const { rows } = await client.query("SELECT current_setting('fsync') AS fsync");
    expect(rows).toEqual([{ fsync: "on" }]);
    await client.query("CREATE TABLE kept (n int)");
    await client.query("INSERT INTO kept VALUES (7)");
    await service.kill();
    await service.restart();
    const again = await connected(service.url);
    expect((await again.query("SELECT n FROM kept")).rows).toEqual([{ n: 7 }]);
    await again.end();
  });

  it("leaves neither port nor directory nor kernel memory, also when it was killed", async () => {
    const other = await startPostgres({ synchronousCommit: false });
    expect(other.description["durability"]).toBe("fsync on, synchronous_commit off");
    const [server = 0] = other.pids;
    const directory = directoryOf(server);
    expect(existsSync(directory)).toBe(true);
    expect(sharedMemoryOf(server)).toHaveLength(1);
    await other.kill();
    expect(sharedMemoryOf(server)).toHaveLength(1);
    await other.stop();
    await other.stop();
    expect(existsSync(directory)).toBe(false);
    expect(sharedMemoryOf(server)).toEqual([]);
    await expect(bindable(other.port)).resolves.toBe(true);
  });

  it("ends when whoever started it is killed", () => endsWithParent("postgres"));

  it("is refused as a storage engine, in words", async () => {
    const opening = openStorage({ target: service.target }, { clock: createSystemClock() });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow("postgres-ser");
  });
});

describe.skipIf(!hasEtcd())(`etcd (skipped if ${etcdMissing})`, () => {
  let service: EtcdService;

  beforeAll(async () => {
    service = await startEtcd();
  });
  afterAll(() => service.stop());

  it("serves on loopback alone, and keeps a commit when it is killed", async () => {
    expect(listening(service.port)).toEqual(["127.0.0.1"]);
    const name = Buffer.from("kept").toString("base64");
    const post = async (call: string, body: unknown): Promise<unknown> => {
      const answer = await fetch(`${service.endpoint}/v3/kv/${call}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return answer.json();
    };
    await post("put", { key: name, value: name });
    await service.kill();
    await service.restart();
    expect(await post("range", { key: name })).toMatchObject({ kvs: [{ value: name }] });
  });

  it("leaves neither port nor directory", async () => {
    const other = await startEtcd();
    const directory = directoryOf(other.pids[0] ?? 0);
    expect(existsSync(directory)).toBe(true);
    await other.stop();
    await other.stop();
    expect(existsSync(directory)).toBe(false);
    await expect(bindable(other.port)).resolves.toBe(true);
  });

  it("ends when whoever started it is killed", () => endsWithParent("etcd"));
});

it("says how to get what is not installed", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "";
  try {
    await expect(startEtcd()).rejects.toThrow(NotAvailableError);
    await expect(startEtcd()).rejects.toThrow("apt-get install etcd-server");
  } finally {
    process.env["PATH"] = path;
  }
});

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Segments of System V shared memory that a process made. */
function sharedMemoryOf(pid: number): string[] {
  const [, ...lines] = readFileSync("/proc/sysvipc/shm", "utf8").trim().split("\n");
  return lines.filter((line) => line.trim().split(/\s+/)[4] === String(pid));
}
