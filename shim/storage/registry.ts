/** @module The storage engines there are: one line each, loaded only when used. */
import type { Clock } from "#kit/clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import type { StorageEngine } from "./port.ts";
import { type StorageSpec, type StorageTarget, withoutPassword } from "./target.ts";

type Open<T extends StorageTarget["engine"]> = (
  target: Extract<StorageTarget, { engine: T }>,
  clock: Clock,
) => Promise<StorageEngine>;

const engines: { readonly [E in StorageTarget["engine"]]: Open<E> } = {
  memory: async () => (await import("./memory/engine.ts")).createMemoryEngine(),
  lmdb: async ({ directory }) => (await import("./lmdb/engine.ts")).openLmdbEngine(directory),
  redis: async (target) => (await import("./redis/engine.ts")).openRedisEngine(target),
  dynamodb: async (target, clock) =>
    (await import("./dynamodb/engine.ts")).openDynamodbEngine(target, clock),
  s3: async (target) => (await import("./s3/engine.ts")).openS3Engine(target),
  module: async ({ modulePath, options }) =>
    (await (await import("./outside.ts")).loadStorageEngine(modulePath)).open(options),
  postgres: () => refuse("postgres", "postgres-rc, postgres-rr, postgres-ser and postgres-held"),
  etcd: () => refuse("etcd", "etcd"),
  restate: () => refuse("restate", "restate"),
  workerd: () => refuse("workerd", "durable-objects"),
};

/** A server that keeps state, and is spoken to in no way that all systems could share. */
function refuse(engine: string, systems: string): Promise<never> {
  const what = `"${engine}" is no storage engine`;
  const hint = `only these state systems speak to it: ${systems}`;
  return Promise.reject(new ConfigError([{ where: "storage", what, hint }]));
}

/**
 * Opens a store, behind its emulation if it has one. Rejects with a `StorageError`, or with a `ConfigError`
 * where the target is no storage engine.
 */
export async function openStorage(
  spec: StorageSpec,
  options: { readonly clock: Clock },
): Promise<StorageEngine> {
  const { target, emulation } = spec;
  const open: (opened: never, clock: Clock) => Promise<StorageEngine> = engines[target.engine];
  const engine = await open(target as never, options.clock);
  if (emulation === undefined) return engine;
  const { emulated } = await import("./emulated/engine.ts");
  const { emulationProfiles } = await import("./emulated/profiles.ts");
  return emulated({
    engine,
    profile: emulationProfiles[emulation.profile],
    clock: options.clock,
    prng: createPrng(emulation.seed).fork(`storage-${process.pid}`),
  });
}

const urlHint =
  "memory:, lmdb:DIR, redis://HOST:PORT, rediss://…, unix:PATH, redis-cluster://H:P,H:P, dynamodb:TABLE?region=R&endpoint=URL or s3://BUCKET?region=R&endpoint=URL";

/**
 * Reads the address of a store as people write it. `where` is where they wrote it.
 *
 * @throws ConfigError
 */
export function parseStorageUrl(text: string, where = "--storage"): StorageTarget {
  const badUrl = (given: string, why: string): ConfigError =>
    new ConfigError([{ where, what: `"${withoutPassword(given)}" ${why}`, hint: urlHint }]);
  const colon = text.indexOf(":");
  const scheme = colon < 0 ? text : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (scheme) {
    case "memory":
      return { engine: "memory" };
    case "lmdb":
      if (rest !== "") return { engine: "lmdb", directory: rest };
      throw badUrl(text, "names no directory");
    case "redis":
    case "rediss":
      if (URL.canParse(text)) return { engine: "redis", urls: [text], cluster: false };
      throw badUrl(text, "is not a URL");
    case "unix":
      if (rest !== "") return { engine: "redis", urls: [text], cluster: false };
      throw badUrl(text, "names no socket");
    case "redis-cluster": {
      const nodes = rest.replace(/^\/\//, "").split(",");
      const urls = nodes.map((node) => `redis://${node}`);
      if (nodes.every((node) => /:\d+$/.test(node)))
        return { engine: "redis", urls, cluster: true };
      throw badUrl(text, "needs host:port for every node");
    }
    case "dynamodb": {
      const { name, region, endpoint } = parseAws(rest);
      if (name !== "") return { engine: "dynamodb", table: name, region, ...endpoint };
      throw badUrl(text, "names no table");
    }
    case "s3": {
      const { name, region, endpoint } = parseAws(rest.replace(/^\/\//, ""));
      if (name !== "") return { engine: "s3", bucket: name, region, ...endpoint };
      throw badUrl(text, "names no bucket");
    }
    default:
      throw badUrl(text, "is of no known kind");
  }
}

function parseAws(rest: string): {
  name: string;
  region: string;
  endpoint: { endpoint?: string };
} {
  const [name = "", query = ""] = rest.split("?");
  const parameters = new URLSearchParams(query);
  const endpoint = parameters.get("endpoint");
  return {
    name,
    region: parameters.get("region") ?? "us-east-1",
    endpoint: endpoint === null ? {} : { endpoint },
  };
}
