/**
 * @module The state systems there are: one line each. A system from outside this repository is
 * named by its module's path instead and has the same shape (`--use ./my-system.ts`).
 */
import { ConfigError, type NotAvailableError } from "#kit/errors.ts";
import { missingPackages, type OptionalPackage } from "#kit/node/optional-package.ts";
import { outsideExport } from "#kit/node/outside.ts";
import type { StateSystem } from "./port.ts";

/**
 * What a system guarantees; the checker and the contract suite hold it to that. "session-order" is about
 * a client's transactions: each sees the earlier ones. "exactly-once" is about a request's attempts: the
 * effects of one of them stay, for as long as the system says. The others are about one transaction.
 */
export type StatePromise =
  | "read-atomic"
  | "read-your-writes"
  | "repeatable-read"
  | "session-order"
  | "exactly-once"
  /** Of systems whose transactions end with their function: each function reads as if it were the request. */
  | "functions-read-atomic"
  /** No function overwrites a version that it has not seen, of a key that it has read. */
  | "functions-keep-updates";

/** Everything a process needs to open a system; survives JSON. */
export interface StateSystemSpec {
  readonly system: string;
  /** As the system's own module defines them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Absolute path of a module outside this repository; absent for registered systems. */
  readonly modulePath?: string;
}

/** What a system's module exports as `stateSystem`. */
export interface StateSystemModule {
  readonly name: string;
  readonly promises: readonly StatePromise[];
  /** npm packages that are none of our dependencies, loaded when it is opened; it does not run without them. */
  readonly needs?: readonly OptionalPackage[];
  /** What it guarantees with these options, where that depends on them; otherwise `promises`. */
  promisesWith?(options: Readonly<Record<string, unknown>>): readonly StatePromise[];
  /** Rejects with `ConfigError` on options it does not understand. */
  open(options: Readonly<Record<string, unknown>>): Promise<StateSystem>;
}

interface LoadedModule {
  readonly stateSystem: StateSystemModule;
}

const registered: Readonly<Record<string, () => Promise<LoadedModule>>> = {
  direct: () => import("#shim/direct/system.ts"),
  aft: () => import("#shim/aft/client/system.ts"),
  "redis-multi": () => import("#shim/redis-multi/system.ts"),
  "redis-occ": () => import("#shim/redis-occ/system.ts"),
  "powertools-idempotency": () => import("#shim/powertools-idempotency/system.ts"),
  "dynamodb-txn": () => import("#shim/dynamodb-txn/system.ts"),
  "step-log": () => import("#shim/step-log/system.ts"),
  "postgres-rc": async () => (await import("#shim/postgres/system.ts")).postgresAt("postgres-rc"),
  "postgres-rr": async () => (await import("#shim/postgres/system.ts")).postgresAt("postgres-rr"),
  "postgres-ser": async () => (await import("#shim/postgres/system.ts")).postgresAt("postgres-ser"),
  "postgres-held": () => import("#shim/postgres/held/system.ts"),
  dbos: () => import("#shim/dbos/system.ts"),
  etcd: async () => (await import("#shim/etcd/system.ts")).etcdAs("etcd"),
  "etcd-ser": async () => (await import("#shim/etcd/system.ts")).etcdAs("etcd-ser"),
  restate: () => import("#shim/restate/system.ts"),
  "durable-objects": () => import("#shim/durable-objects/system.ts"),
};

export const stateSystemNames: readonly string[] = Object.keys(registered);

/** The module of a system; rejects with `ConfigError` for an unknown name or an unusable module. */
export async function loadStateSystem(
  spec: Pick<StateSystemSpec, "system" | "modulePath">,
): Promise<StateSystemModule> {
  if (spec.modulePath !== undefined)
    return outsideExport(spec.modulePath, "stateSystem", { id: "name", methods: ["open"] });
  const load = registered[spec.system];
  if (load === undefined) {
    throw new ConfigError([
      {
        where: "system",
        what: `unknown state system "${spec.system}"`,
        hint: `known: ${stateSystemNames.join(", ")}`,
      },
    ]);
  }
  return (await load()).stateSystem;
}

/**
 * npm packages that a system needs beside our dependencies; none for a name that is not registered, such as an
 * experiment's own for AFT with other settings.
 */
export async function packagesOf(system: string): Promise<readonly OptionalPackage[]> {
  if (!stateSystemNames.includes(system)) return [];
  return (await loadStateSystem({ system })).needs ?? [];
}

/** The registered systems that need such packages, in order, and what each needs. */
export async function optionalSystems(): Promise<
  readonly { readonly system: string; readonly needs: readonly OptionalPackage[] }[]
> {
  const all = await Promise.all(
    stateSystemNames.map(async (system) => ({ system, needs: await packagesOf(system) })),
  );
  return all.filter(({ needs }) => needs.length > 0);
}

/** Why a registered system cannot be opened here, and what to install; `undefined`: it can. */
export async function missingFor(system: string): Promise<NotAvailableError | undefined> {
  return missingPackages(system, await packagesOf(system));
}

/** Opens the system a spec describes. */
export async function openStateSystem(spec: StateSystemSpec): Promise<StateSystem> {
  return (await loadStateSystem(spec)).open(spec.options);
}
