/**
 * @module Where a store is, as data that can be written into a manifest or an environment variable
 * and opened in another process (`openStorage`, registry.ts).
 */
import type { EmulationProfileName } from "./emulated/profiles.ts";

export type StorageTarget =
  | { readonly engine: "memory" }
  | { readonly engine: "lmdb"; readonly directory: string }
  | {
      readonly engine: "redis";
      /** `redis://[user:password@]host:port[/db]`, `rediss://…`, or `unix:PATH`; several = cluster. */
      readonly urls: readonly string[];
      readonly cluster: boolean;
    }
  | {
      readonly engine: "dynamodb";
      readonly table: string;
      readonly region: string;
      /** Absent: AWS itself, with the usual credential chain. */
      readonly endpoint?: string;
    }
  | {
      readonly engine: "s3";
      readonly bucket: string;
      readonly region: string;
      readonly endpoint?: string;
    }
  /** These are no storage engines: state systems of their own speak to them. */
  | {
      readonly engine: "postgres";
      /** `postgres://[user:password@]host:port/database`. */
      readonly url: string;
    }
  | {
      readonly engine: "etcd";
      /** Of the client API: `http://host:port`. */
      readonly endpoint: string;
    }
  | {
      /** Servers of objects, which have the suite's own handlers or worker. */
      readonly engine: "restate" | "workerd";
      /** Of the ingress or the worker: `http://host:port`. */
      readonly endpoint: string;
    }
  | {
      /** An engine from outside this repository (`outside.ts`). */
      readonly engine: "module";
      readonly modulePath: string;
      /** What its `start` gave. */
      readonly options: Readonly<Record<string, unknown>>;
    };

/** A store, possibly behind an emulated network: everything a process needs to open it. */
export interface StorageSpec {
  readonly target: StorageTarget;
  /** Adds sampled latency of a named cloud service; results are then labelled "emulated". */
  readonly emulation?: {
    readonly profile: EmulationProfileName;
    readonly seed: number;
    /** Waits end up to a millisecond late, and cost no CPU. */
    readonly coarse?: boolean;
  };
}

/** A storage URL (also one that is wrong) as it may be shown: without what stands before the last `@`. */
export function withoutPassword(url: string): string {
  const at = url.lastIndexOf("@");
  if (at < 0) return url;
  const [scheme = ""] = /^[a-z0-9-]*:\/\//i.exec(url) ?? [];
  return `${scheme}***@${url.slice(at + 1)}`;
}

/** A store as logs and records may describe it. */
export function withoutSecrets(spec: StorageSpec): StorageSpec {
  const { target } = spec;
  return { ...spec, target: withoutSecret(target) };
}

function withoutSecret(target: StorageTarget): StorageTarget {
  switch (target.engine) {
    case "redis":
      return { ...target, urls: target.urls.map(withoutPassword) };
    case "postgres":
      return { ...target, url: withoutPassword(target.url) };
    case "etcd":
    case "restate":
    case "workerd":
      return { ...target, endpoint: withoutPassword(target.endpoint) };
    case "memory":
    case "lmdb":
    case "dynamodb":
    case "s3":
    // Its options stand in records, which `start` is told.
    case "module":
      return target;
  }
}
