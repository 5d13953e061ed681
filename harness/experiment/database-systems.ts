/** @module Systems that are functions and one server: PostgreSQL at its levels, etcd, and servers of objects. */
import { ConfigError } from "#kit/errors.ts";
import { describePackages } from "#kit/node/optional-package.ts";
import { startPostgresBroker } from "#harness/services/postgres-broker.ts";
import { needs } from "#shim/dbos/library.ts";
import { defaultIsolation, defaultTakeOverMs } from "#shim/dbos/system.ts";
import { isolationOf, type PostgresSystemName } from "#shim/postgres/levels.ts";
import { retentionMs } from "#shim/objects/frame.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { Scope } from "./scope.ts";
import type { RunningSystem } from "./systems.ts";

interface BringUpOptions {
  readonly storage: StorageSpec;
  readonly scope: Scope;
}

type BringUp = (options: BringUpOptions) => Promise<RunningSystem>;

const postgresMarks =
  "the last function's transaction marks the request as done; marks are kept for ever";

/** How a level is brought up; rejects with `ConfigError` in front of another store. */
export function onPostgres(name: PostgresSystemName): BringUp {
  return ({ storage }) =>
    onServer(name, "postgres", storage, {
      kind: `one transaction for each function, ${isolationOf[name]}`,
      tornBetweenFunctions: true,
      requests: `${postgresMarks}; what earlier functions wrote is written again by a retry`,
    });
}

/** The ceiling, with its broker. */
export async function bringUpHeld({ storage, scope }: BringUpOptions): Promise<RunningSystem> {
  const name = "postgres-held";
  const { description } = await onServer(name, "postgres", storage, {
    kind: "held-connection ceiling, not possible across real invocations: a broker process holds one SERIALIZABLE transaction for each request",
    requests: postgresMarks,
  });
  const broker = scope.own(await startPostgresBroker(storage));
  return {
    spec: { system: name, options: { broker: broker.endpoint } },
    pids: { broker: broker.pids },
    description: { ...description, broker: broker.description },
  };
}

/** Each instance of a function is an executor of DBOS. Rejects with `ConfigError` in front of another store. */
export async function bringUpDbos({ storage }: BringUpOptions): Promise<RunningSystem> {
  return onServer("dbos", "postgres", storage, {
    kind: `a workflow of one transaction for each function, ${defaultIsolation}`,
    tornBetweenFunctions: true,
    requests:
      "what a function returned is in its transaction, kept for ever; one that does not end within " +
      `${defaultTakeOverMs} ms is taken over by the next attempt`,
    packages: describePackages(needs),
  });
}

const etcdKinds = {
  etcd: "a snapshot by value; keys that are written must be unchanged (snapshot isolation)",
  "etcd-ser": "a snapshot by value; keys that are read or written must be unchanged (serializable)",
} as const;

/** Rejects with `ConfigError` in front of another store. */
export function onEtcd(name: keyof typeof etcdKinds): BringUp {
  return ({ storage }) =>
    onServer(name, "etcd", storage, {
      kind: etcdKinds[name],
      requests: "the same transaction records the request; records are kept for ever",
    });
}

const objectKinds = {
  restate: "a virtual object for each key: reads by a shared handler, writes by an exclusive one",
  "durable-objects": "a durable object for each key, its value in a SQLite database of its own",
} as const;

/** Rejects with `ConfigError` in front of another store. */
export function onObjects(name: keyof typeof objectKinds): BringUp {
  return ({ storage }) =>
    onServer(name, name === "restate" ? "restate" : "workerd", storage, {
      kind: objectKinds[name],
      tornBetweenFunctions: true,
      requests: `each write once, by its number in the request, for ${retentionMs / 60_000} minutes`,
    });
}

function onServer(
  name: string,
  engine: "postgres" | "etcd" | "restate" | "workerd",
  storage: StorageSpec,
  description: Readonly<Record<string, unknown>>,
): Promise<RunningSystem> {
  if (storage.target.engine === engine)
    return Promise.resolve({
      spec: { system: name, options: { storage } },
      pids: {},
      description,
    });
  const what = `runs on ${engine}, not on ${storage.target.engine}`;
  return Promise.reject(new ConfigError([{ where: name, what, hint: `--only storage:${engine}` }]));
}
