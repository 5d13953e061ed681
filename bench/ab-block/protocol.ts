/**
 * @module How two revisions are measured in one run: each ships this runner and is started as a process of
 * its own, from its own checkout, by whoever interleaves them.
 *
 *   start    node bench/ab-block/main.ts, AFT_AB_BLOCK = `BlockRunnerConfig` as JSON
 *   ready    one line on stdout: `BlockRunnerReady`
 *   command  one line on stdin: `BlockCommand`
 *   answer   one line on stdout: `BlockAnswer`
 *   end      end of stdin
 *
 * Fields may be added, never renamed or given another meaning; what breaks that raises
 * `blockProtocol`, and revisions with different numbers are not compared.
 */

export const blockProtocol = 1;
/** In a checkout; a revision without it cannot be compared with. */
export const blockRunnerPath = "bench/ab-block/main.ts";

export interface BlockRunnerConfig {
  readonly protocol: number;
  readonly system: string;
  /** As `serve --storage` takes it. */
  readonly storage: string;
  /** Replica settings, where the system has a replica. */
  readonly settings: Readonly<Record<string, number | string>>;
  readonly seed: number;
  readonly clients: number;
  readonly workload: Readonly<Record<string, number>>;
}

export interface BlockRunnerReady {
  readonly ready: true;
  readonly protocol: number;
}

export interface BlockCommand {
  readonly run: "block";
  readonly block: number;
  readonly durationMs: number;
}

export interface BlockAnswer {
  readonly block: number;
  readonly transactions: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  /** Of every transaction, in whole microseconds; absent in older revisions. */
  readonly timesUs?: readonly number[];
  /** Of the block; absent where they cannot be seen. */
  readonly storage?: { readonly calls: number; readonly bytes: number };
}
