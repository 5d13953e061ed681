/**
 * @module Real servers that the suite starts for itself, on loopback or a Unix socket, and stops.
 *
 * Every service is a child process of its own or a listener of this process; it ends when `stop`
 * is called and also when this process dies, however it dies.
 */
import type { StorageTarget } from "#shim/storage/target.ts";

export interface Service {
  readonly name: string;
  /** Process ids to account CPU to; empty when it runs inside this process. */
  readonly pids: readonly number[];
  /** For the manifest: version, addresses, configuration that matters (fsync policy …). */
  readonly description: Readonly<Record<string, unknown>>;
  /** Ends it and removes what it left. Idempotent; never rejects. */
  stop(): Promise<void>;
}

export interface StorageService extends Service {
  /** What `openStorage` needs to reach it from any process. */
  readonly target: StorageTarget;
}
