/**
 * Goal    A server gets a port that no connection can take from it, that nobody listens on, and that nobody
 *         else in this process was given.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  freePort,
  NoFreePortError,
  PortFinder,
  portsForServers,
  startOnFreePort,
} from "./free-port.ts";

const systemRangeFile = "/proc/sys/net/ipv4/ip_local_port_range";
/** 0: not Linux. */
const systemStart = existsSync(systemRangeFile)
  ? Number.parseInt(readFileSync(systemRangeFile, "utf8"), 10)
  : 0;

const listening: Server[] = [];
afterEach(() => {
  for (const server of listening.splice(0)) server.close();
});

function listenOn(port: number): Promise<void> {
  const server = createServer();
  listening.push(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
}

/** Draws 0, 1, 2, … again and again. */
function inTurn(): (bound: number) => number {
  let drawn = -1;
  return (bound) => (drawn += 1) % bound;
}

describe("ports for servers", () => {
  it.each([
    ["32768\t60999\n", 32_767],
    ["40000 50000", 39_999],
    // Nothing known: where the dynamic ports begin.
    [undefined, 49_151],
    ["nonsense", 49_151],
    // Hardly anything below them: all.
    ["10500 65535", 65_535],
    ["1024 65535", 65_535],
  ])("are below those of connections: %j", (systemRange, last) => {
    expect(portsForServers(systemRange)).toEqual({ first: 10_000, last });
  });

  it.skipIf(systemStart < 32_768)("are none that this system gives to a connection", async () => {
    const port = await freePort(10_000);
    for (const one of [await freePort(), await freePort(), port, port + 10_000])
      expect(one).toBeLessThan(systemStart);
  });

  it("can be listened on", async () => {
    await listenOn(await freePort());
    const port = await freePort(10_000);
    await listenOn(port);
    await listenOn(port + 10_000);
  });

  it("are not those that somebody listens on", async () => {
    const first = await freePort(2);
    await listenOn(first);
    const finder = new PortFinder({ first, last: first + 2 }, inTurn());
    expect(await finder.next()).not.toBe(first);
    const only = new PortFinder({ first, last: first }, () => 0);
    await expect(only.next()).rejects.toThrow(NoFreePortError);
  });

  it("are free so much higher too, where that is asked for", async () => {
    const first = await freePort(2);
    await listenOn(first + 2);
    const finder = new PortFinder({ first, last: first + 3 }, () => 0);
    await expect(finder.next(2)).rejects.toThrow(`between ${first} and ${first + 3}`);
  });

  it("are given out once, also to those who ask at the same time", async () => {
    const first = await freePort(9);
    const finder = new PortFinder({ first, last: first + 9 }, inTurn());
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => finder.next()));
    const given = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    // Some of the ten may be taken by others.
    expect(given.length).toBeGreaterThan(0);
    expect(new Set(given).size).toBe(given.length);
    await expect(finder.next()).rejects.toThrow(NoFreePortError);
  });

  it("are drawn at random, so that processes seldom meet", async () => {
    const drawn = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    const steps = new Set(drawn.slice(1).map((port, index) => port - (drawn[index] ?? 0)));
    expect(steps.size).toBeGreaterThan(10);
  });
});

describe("a server that does not start at one place", () => {
  it("starts at another", async () => {
    const tried: number[] = [];
    const port = await startOnFreePort((place) => {
      tried.push(place);
      return tried.length < 3 ? Promise.reject(new Error("no")) : Promise.resolve(place);
    });
    expect(tried).toHaveLength(3);
    expect(new Set(tried).size).toBe(3);
    expect(port).toBe(tried[2]);
  });

  it("fails with the last failure", async () => {
    await expect(startOnFreePort(() => Promise.reject(new Error("never")))).rejects.toThrow(
      "never",
    );
  });
});
