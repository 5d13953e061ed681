/** @module A storage engine from outside this repository: what its module exports as `storageEngine`. */
import { outsideExport } from "#kit/node/outside.ts";
import type { StorageEngine } from "./port.ts";

type Options = Readonly<Record<string, unknown>>;

/** An empty store that is up. */
export interface StartedStore {
  /** For `open`, in this and other processes. JSON; stands in records, so no passwords. */
  readonly options: Options;
  /** Of a server, to account CPU to. */
  readonly pids?: readonly number[];
  /** For records: version, settings that matter. */
  readonly description?: Options;
  /** Ends what `start` has started. */
  stop?(): Promise<void>;
}

export interface StorageEngineModule {
  /** The level of the factor `storage`. */
  readonly name: string;
  /**
   * As its `capabilities.shared`. Functions then run in instances of their own; otherwise in one process
   * with the load.
   */
  readonly shared: boolean;
  /** Makes an empty store. `directory` is an empty folder for it, removed when the store is. */
  start(place: { readonly directory: string }): Promise<StartedStore>;
  /** Rejects with a `StorageError`. */
  open(options: Options): Promise<StorageEngine>;
}

/** Rejects with `ConfigError` for a module without a usable `storageEngine`. */
export function loadStorageEngine(modulePath: string): Promise<StorageEngineModule> {
  return outsideExport(modulePath, "storageEngine", { id: "name", methods: ["start", "open"] });
}
