/** @module AFT as a state system: what a function imports. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { readSecret, readTlsFiles } from "#kit/node/secret-files.ts";
import { createPrng } from "#kit/prng.ts";
import type { StateSystem } from "#shim/state/port.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { AftConnection, type AftEndpoint } from "./connection.ts";
import { createClusterSystem } from "./cluster.ts";
import { createAftSystem } from "./one-replica.ts";
import { ReplicaRouter } from "./router.ts";
import type { SessionSettings } from "./session.ts";

/** How often the list of replicas is read. */
const defaultRefreshMs = 1_000;

const promises = ["read-atomic", "read-your-writes", "repeatable-read"] as const;

/**
 * Options: `{ endpoint: "127.0.0.1:PORT" | "unix:PATH", username?, password?, passwordFile?, tls?:
 * { caFile?, certFile?, keyFile? }, timeoutMs?, maxRidingWrites?, exactlyOnce? }`; or, for a
 * cluster, `{ endpoints: [some of them], spreading?: "round-robin" | "least-loaded", refreshMs?, … }`, where
 * every request happens once. `maxRidingWrites` is explained at `SessionSettings`.
 */
export const stateSystem: StateSystemModule = {
  name: "aft",
  promises,
  // "session-order" is more than the paper promises, and only true on one replica (Deviations, 5): the
  // next transaction of a client may begin on another, which has not heard of the last one yet.
  promisesWith: ({ endpoints, exactlyOnce }) => [
    ...promises,
    ...(Array.isArray(endpoints) ? [] : (["session-order"] as const)),
    ...(Array.isArray(endpoints) || exactlyOnce === true ? (["exactly-once"] as const) : []),
  ],
  open: async (options) => {
    const { endpoint, endpoints } = options;
    if (Array.isArray(endpoints)) return openCluster(options, endpoints.map(String));
    if (typeof endpoint !== "string") {
      const hint = "127.0.0.1:PORT or unix:PATH";
      throw new ConfigError([{ where: "aft", what: "needs an endpoint", hint }]);
    }
    const settings = sessionSettingsOf(options);
    const connections = await AftConnection.open({ endpoint, ...connectionOf(options) });
    return createAftSystem({
      connections,
      exactlyOnce: options["exactlyOnce"] === true,
      ...settings,
      clock: createSystemClock(),
      prng: createPrng(seedFromEntropy()),
    });
  },
};

/** Where options are recorded (a run's manifest), a password comes from a file. @throws ConfigError */
function connectionOf(options: Readonly<Record<string, unknown>>): Omit<AftEndpoint, "endpoint"> {
  const { username, passwordFile, tls, timeoutMs } = options;
  const password =
    typeof passwordFile === "string"
      ? readSecret(passwordFile, "aft.passwordFile")
      : options["password"];
  return {
    ...(typeof username === "string" && { username }),
    ...(typeof password === "string" && { password }),
    ...(typeof tls === "object" && tls !== null && { tls: readTlsFiles(tls, "aft.tls") }),
    ...(typeof timeoutMs === "number" && { timeoutMs }),
  };
}

/** @throws ConfigError */
function sessionSettingsOf({
  maxRidingWrites,
}: Readonly<Record<string, unknown>>): SessionSettings {
  if (maxRidingWrites === undefined) return {};
  if (Number.isSafeInteger(maxRidingWrites) && Number(maxRidingWrites) >= 0)
    return { maxRidingWrites: Number(maxRidingWrites) };
  const hint = "0 or a positive integer";
  throw new ConfigError([
    { where: "aft.maxRidingWrites", what: "is not a number of writes", hint },
  ]);
}

/** Ids must differ between all clients of a replica, so this seed is not a run's. */
function seedFromEntropy(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}

async function openCluster(
  options: Readonly<Record<string, unknown>>,
  seeds: readonly string[],
): Promise<StateSystem> {
  const { spreading, refreshMs } = options;
  const clock = createSystemClock();
  const settings = sessionSettingsOf(options);
  const router = await ReplicaRouter.open({
    seeds,
    connection: connectionOf(options),
    spreading: spreading === "least-loaded" ? spreading : "round-robin",
    refreshMs: typeof refreshMs === "number" ? refreshMs : defaultRefreshMs,
    clock,
  });
  const prng = createPrng(seedFromEntropy());
  return createClusterSystem({ ...settings, router, clock, prng });
}
