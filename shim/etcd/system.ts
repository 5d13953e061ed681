/** @module etcd as a state system, and with reads compared too; clock and randomness are the real ones. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { defaultMaxContextBytes } from "#shim/state/carried.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { EtcdClient } from "./client.ts";
import { toStateError } from "./errors.ts";
import { createEtcdSystem, type EtcdPorts } from "./etcd-system.ts";
import { encodeText } from "./protocol.ts";

const comparesOf = { etcd: "writes", "etcd-ser": "reads-and-writes" } as const satisfies Readonly<
  Record<string, EtcdPorts["compares"]>
>;

const defaults = {
  timeoutMs: 5_000,
  maxConnections: 64,
  // As the server has them unless told otherwise.
  maxTxnOps: 128,
  maxRequestBytes: 1_572_864,
  maxContextBytes: defaultMaxContextBytes,
};

/**
 * Options: `{ storage: StorageSpec, timeoutMs?, maxConnections?, maxTxnOps?, maxRequestBytes?,
 * maxContextBytes? }`; the storage is an etcd.
 */
export function etcdAs(name: keyof typeof comparesOf): { readonly stateSystem: StateSystemModule } {
  return {
    stateSystem: {
      name,
      promises: [
        "read-atomic",
        "read-your-writes",
        "repeatable-read",
        "session-order",
        "exactly-once",
      ],
      open: async (options) => {
        const { endpoint, ...numbers } = readOptions(name, options);
        const client = new EtcdClient({ endpoint, ...numbers });
        try {
          await client.read([encodeText("aft-bench/")]);
        } catch (error) {
          client.close();
          throw toStateError(error);
        }
        return createEtcdSystem({
          name,
          client,
          clock: createSystemClock(),
          prng: createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0),
          limits: numbers,
          compares: comparesOf[name],
        });
      },
    },
  };
}

/** @throws ConfigError naming every problem. */
function readOptions(
  system: string,
  options: Readonly<Record<string, unknown>>,
): typeof defaults & { readonly endpoint: string } {
  const problems: ConfigProblem[] = [];
  const storage = options["storage"] as StorageSpec | undefined;
  const target = storage?.target;
  const hint = "http://HOST:PORT of its client API";
  if (target?.engine !== "etcd") {
    const what = `runs on etcd, not on ${target?.engine ?? "nothing"}`;
    problems.push({ where: system, what, hint });
  } else if (!/^http:\/\/[^/]+$/.test(target.endpoint)) {
    problems.push({
      where: system,
      what: "speaks plain HTTP to a server without a password",
      hint,
    });
  }
  if (storage?.emulation !== undefined)
    problems.push({ where: system, what: "has no emulated network" });
  const numbers = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name] ?? defaults[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0)
      numbers[name] = value;
    else problems.push({ where: `${system}.${name}`, what: "must be a whole number above 0" });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...numbers, endpoint: target?.engine === "etcd" ? target.endpoint : "" };
}
