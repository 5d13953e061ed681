/**
 * Goal    A replica process serves unmodified Redis clients and survives hostile ones.
 * Method  redis-cli, redis-benchmark and ioredis against real processes; damaged streams over real
 *         sockets, with a look at memory and a working command after.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPrng, type Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { type ReplicaService, startReplica } from "./replica.ts";
import { startStorageService } from "./registry.ts";
import type { StorageService } from "./port.ts";

const run = promisify(execFile);
const hasTools = spawnSync("redis-cli", ["--version"]).error === undefined;

describe.each(["memory", "lmdb"] as const)("a replica over %s", (kind) => {
  let store: StorageService;
  let replica: ReplicaService;
  let client: Redis;
  const port = (): string => replica.endpoint.split(":")[1] ?? "";

  beforeAll(async () => {
    store = await startStorageService(kind);
    replica = await startReplica({ storage: { target: store.target } });
    client = new Redis(Number(port()), "127.0.0.1");
  });
  afterAll(async () => {
    client.disconnect();
    await replica.stop();
    await store.stop();
  });

  it("serves plain commands of an unmodified client", async () => {
    expect(await client.set("a", "1")).toBe("OK");
    expect(await client.get("a")).toBe("1");
    expect(await client.mset("b", "2", "c", "")).toBe("OK");
    expect(await client.mget("a", "b", "c", "none")).toEqual(["1", "2", "", null]);
    expect(await client.exists("a", "none")).toBe(1);
    expect(await client.strlen("b")).toBe(1);
    expect(await client.del("a", "none")).toBe(1);
    expect(await client.get("a")).toBeNull();
    expect(await client.dbsize()).toBeGreaterThan(0);
    await expect(client.set("a", "1", "EX", 10)).rejects.toThrow("no expiry");
    await expect(client.call("NO.SUCH")).rejects.toThrow("unknown command");
    await expect(client.call("GET")).rejects.toThrow("wrong number of arguments");
  });

  it("takes MULTI … EXEC as one transaction, and discards all of it on an error", async () => {
    const replies = await client.multi().set("m", "1").get("m").set("n", "2").exec();
    expect(replies).toEqual([
      [null, "OK"],
      [null, "1"],
      [null, "OK"],
    ]);
    await expect(client.multi().set("m", "9").set("x", "y", "EX", 1).exec()).rejects.toThrow(
      "EXECABORT",
    );
    expect(await client.get("m")).toBe("1");
    await expect(client.watch("m")).rejects.toThrow("WATCH");
  });

  it("takes a transaction by hand", async () => {
    const id = String(await client.call("AFT.BEGIN", "r1"));
    await client.call("AFT.SET", id, "hand", "made");
    expect(await client.get("hand")).toBeNull();
    expect(await client.call("AFT.GET", id, "hand")).toBe("made");
    const outcome = (await client.call("AFT.COMMIT", id)) as unknown[];
    expect(outcome[1]).toBe("committed");
    expect(await client.call("AFT.COMMIT", id)).toEqual(outcome);
    expect(await client.get("hand")).toBe("made");
    await expect(client.call("AFT.GET", id, "hand")).rejects.toThrow("AFT_TRANSACTION_COMMITTED");
    await expect(client.call("AFT.GET", "nonsense", "x")).rejects.toThrow(
      "AFT_UNKNOWN_TRANSACTION",
    );
  });

  it("begins and writes along with a read or a commit, whatever the keys are called", async () => {
    const id = createUuid(Date.now(), createPrng(1));
    const along = ["AFTER", "2", "BEGIN", "r2", "WRITES", "BEGIN", "AFTER", "WRITES", "BEGIN"];
    expect(await client.call("AFT.GET", id, "BEGIN", ...along)).toBe("AFTER");
    expect(await client.get("BEGIN")).toBeNull();
    const last = ["AFTER", "3", "WRITES", "AFTER", "WRITES"];
    expect(await client.call("AFT.COMMIT", id, "BRIEF", ...last)).toBeTypeOf("number");
    expect(await client.mget("BEGIN", "WRITES", "AFTER")).toEqual(["AFTER", "BEGIN", "WRITES"]);

    const alone = createUuid(Date.now(), createPrng(2));
    const all = ["AFTER", "1", "BEGIN", "r3", "WRITES", "alone", "1"];
    expect(await client.call("AFT.COMMIT", alone, "BRIEF", ...all)).toBeTypeOf("number");
    expect(await client.get("alone")).toBe("1");
  });

  it("does nothing of what it does not understand as a whole", async () => {
    const id = createUuid(Date.now(), createPrng(3));
    for (const along of [
      ["AFTER", "1", "BEGIN", "r4", "WRITES", "a"],
      ["AFTER", "1", "BEGIN", "r4", "WRITES", "a", "1", "b", "2"],
      ["BEGIN", "r4", "WRITES", "a", "1"],
      ["BEGIN", "r4", "AFTER", "0"],
      ["BEGIN"],
      ["AFTER", "one"],
    ])
      await expect(client.call("AFT.GET", id, "x", ...along)).rejects.toThrow("usage");
    await expect(client.call("AFT.GET", id, "x")).rejects.toThrow("AFT_UNKNOWN_TRANSACTION");
  });

  it("refuses a commit whose writes it refused, and the writes with it", async () => {
    const id = createUuid(Date.now(), createPrng(4));
    const long = "k".repeat(100_000);
    const along = ["AFTER", "2", "BEGIN", "r5", "WRITES", "good", "1", long, "1"];
    await expect(client.call("AFT.GET", id, "x", ...along)).rejects.toThrow("AFT_KEY_TOO_LARGE");
    const outcome = (await client.call("AFT.COMMIT", id, "AFTER", "2")) as unknown[];
    expect(outcome).toContain("aborted");
    expect(await client.get("good")).toBeNull();
  });

  it.skipIf(!hasTools)(
    "works from redis-cli (needs redis-tools: apt-get install redis-tools)",
    async () => {
      const cli = async (...args: string[]): Promise<string> =>
        (await run("redis-cli", ["-p", port(), ...args])).stdout.trim();
      const id = await cli("AFT.BEGIN", "cli");
      await cli("AFT.SET", id, "typed", "yes");
      expect(await cli("AFT.GET", id, "typed")).toBe("yes");
      expect(await cli("AFT.COMMIT", id)).toContain("committed");
      expect(await cli("GET", "typed")).toBe("yes");
      expect(await cli("INFO")).toContain("server_name:aft-bench");
      expect(await cli("-3", "PING")).toBe("PONG");
    },
  );

  it.skipIf(!hasTools)("lets redis-benchmark run to its end", async () => {
    const { stdout } = await run("redis-benchmark", [
      ..."-t set,get -P 16 -q -n 20000 -p".split(" "),
      port(),
    ]);
    expect(stdout).toMatch(/SET: .*requests per second/);
    expect(stdout).toMatch(/GET: .*requests per second/);
  });

  it("keeps a transaction whole over two connections and functions, in five trips", async () => {
    const open = () => openStateSystem({ system: "aft", options: { endpoint: replica.endpoint } });
    const [one, two] = [await open(), await open()];
    try {
      for (let turn = 0; turn < 50; turn += 1) {
        const first = one.begin({ requestId: `r${turn}` });
        await first.get("p");
        await first.put("p", Buffer.from(String(turn)));
        const second = two.resume(await first.suspend());
        // The write may still be under way on the other connection.
        expect(String(await second.get("p"))).toBe(String(turn));
        await second.put("q", Buffer.from(String(turn)));
        expect((await second.commit()).kind).toBe("committed");
        expect((await second.commit()).kind).toBe("committed");
        expect(await client.mget("p", "q")).toEqual([String(turn), String(turn)]);
      }
    } finally {
      await one.close();
      await two.close();
    }
  });

  it("lives through hostile streams, within bounds", async () => {
    const prng = createPrng(7);
    const before = residentMiB(replica.pids[0]);
    for (let round = 0; round < 30; round += 1)
      await Promise.all(Array.from({ length: 10 }, () => attack(Number(port()), prng)));
    expect(await client.ping()).toBe("PONG");
    expect(residentMiB(replica.pids[0]) - before).toBeLessThan(200);
    expect((await replica.stats()).openTransactions).toBeLessThan(10_000);
  });
});

/** One connection that misbehaves in one of several ways, and goes away. */
function attack(port: number, prng: Prng): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.on("error", done);
    socket.on("close", done);
    setTimeout(done, 300).unref();
    socket.on("connect", () => {
      switch (prng.nextInt(5)) {
        case 0:
          socket.end(Buffer.from(prng.nextBytes(2_000)));
          return;
        case 1:
          socket.write("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$999999999\r\n");
          return;
        case 2:
          // Half a command, then nothing.
          socket.write("*2\r\n$3\r\nGET\r\n$10\r\nabc");
          return;
        case 3:
          // Asks for much and reads nothing.
          socket.pause();
          socket.write("*2\r\n$3\r\nGET\r\n$1\r\nb\r\n".repeat(2_000));
          return;
        default:
          socket.write("MULTI\r\n".repeat(50) + "EXEC\r\nAFT.BEGIN x\r\nAFT.COMMIT y\r\n");
      }
    });
  });
}

function residentMiB(pid: number | undefined): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return (Number(pages) * 4_096) / 1_048_576;
}

it("asks for its password, and takes no other", async () => {
  const { startModule } = await import("./child.ts");
  const child = await startModule({
    name: "aft replica",
    modulePath: new URL("../../shim/aft/server/main.ts", import.meta.url).pathname,
    environment: {
      AFT_REPLICA_CONFIG: JSON.stringify({
        storage: { target: { engine: "memory" } },
        listen: { host: "127.0.0.1", port: 0 },
        password: "secret",
      }),
    },
  });
  const port = Number(String(child.ready["address"]).split(":")[1]);
  const stranger = new Redis({ port, host: "127.0.0.1", lazyConnect: true });
  const friend = new Redis({ port, host: "127.0.0.1", password: "secret" });
  stranger.on("error", () => {});
  try {
    await expect(stranger.get("x")).rejects.toThrow("NOAUTH");
    await expect(stranger.auth("wrong")).rejects.toThrow(/WRONGPASS|NOAUTH/);
    expect(await friend.set("x", "1")).toBe("OK");
  } finally {
    stranger.disconnect();
    friend.disconnect();
    await child.stop();
  }
});
