/**
 * @module Ports on loopback for servers that must be told theirs.
 *
 * A port that the system picks (`listen(0)`) is one that it gives to outgoing connections too: before the
 * server listens there, or while it is dead and about to come back, some connection may sit on it. So
 * ports are taken from below those; at random, as several processes look for some at the same time;
 * each is tried by listening, and a process gives none out twice.
 */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { ProjectError } from "#kit/errors.ts";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const lowestPort = 10_000;
const highestPort = 65_535;
/** Where connections begin, unless the system says otherwise (IANA's dynamic ports). */
const usualStart = 49_152;
/** With fewer below the connections' own, processes would meet too often: then any port will do. */
const leastPorts = 1_000;
const drawsAtMost = 1_000;
const systemRangeFile = "/proc/sys/net/ipv4/ip_local_port_range";

/** All that were drawn are taken, or were given out before. */
export class NoFreePortError extends ProjectError {
  readonly code = "no_free_port";
  readonly disposition = "retry";

  constructor({ first, last }: PortRange) {
    super(
      `no free port on 127.0.0.1 in ${drawsAtMost} drawn between ${first} and ${last}: ` +
        "stop servers that listen there",
    );
  }
}

/** `systemRange`: the text of Linux's `ip_local_port_range`, where there is one. */
export function portsForServers(systemRange: string | undefined): PortRange {
  const start = Number(/^\s*(\d+)/.exec(systemRange ?? "")?.[1] ?? usualStart);
  const last = start - 1 - lowestPort < leastPorts ? highestPort : start - 1;
  return { first: lowestPort, last };
}

export class PortFinder {
  readonly #range: PortRange;
  readonly #draw: (bound: number) => number;
  readonly #given = new Set<number>();

  /** `draw` gives an integer in [0, bound). */
  constructor(range: PortRange, draw: (bound: number) => number) {
    this.#range = range;
    this.#draw = draw;
  }

  /**
   * @param reach  For servers that listen on the port so much higher too.
   * @throws NoFreePortError
   */
  async next(reach = 0): Promise<number> {
    const { first, last } = this.#range;
    const highest = last - reach >= first ? last - reach : Math.min(last, highestPort - reach);
    for (let draw = 0; draw < drawsAtMost; draw += 1) {
      const port = first + this.#draw(highest - first + 1);
      const wanted = new Set([port, port + reach]);
      if ([...wanted].some((one) => this.#given.has(one))) continue;
      // Before it is tried: another call may draw the same meanwhile.
      for (const one of wanted) this.#given.add(one);
      if (await areFree(wanted)) return port;
    }
    throw new NoFreePortError(this.#range);
  }
}

const finder = new PortFinder(portsForServers(readSystemRange()), (bound) => randomInt(bound));

/**
 * A port on which a server can listen. A fixed one of another program may still come in between.
 *
 * @param reach  For servers that listen on the port so much higher too.
 * @throws NoFreePortError
 */
export function freePort(reach = 0): Promise<number> {
  return finder.next(reach);
}

/** For whatever else may hinder a server at one place. */
const startAttempts = 5;

/** Starts a server on a free port, elsewhere if that fails; rejects with the last failure. */
export async function startOnFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (let attempt = 0; attempt < startAttempts; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function readSystemRange(): string | undefined {
  try {
    return readFileSync(systemRangeFile, "utf8");
  } catch {
    // Not Linux.
    return undefined;
  }
}

async function areFree(ports: Iterable<number>): Promise<boolean> {
  for (const port of ports) if (!(await isFree(port))) return false;
  return true;
}

/** Rejects when that cannot be told. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    probe.listen({ host: "127.0.0.1", port }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
