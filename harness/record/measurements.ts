/** @module What was measured beside the requests: the rest of what a summary is computed from. */

export interface Measurements {
  /** The parts in which the load ran; a summary's throughput is requests over their time. */
  readonly blocks: readonly {
    readonly block: number;
    readonly startUs: number;
    readonly endUs: number;
  }[];
  /** Growth over the measured blocks; null where it cannot be seen. */
  readonly storage: { readonly calls: number; readonly bytes: number } | null;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
  /** CPU over the measured blocks, in cores. */
  readonly cpuCores: Readonly<Record<string, number>>;
  readonly promises: readonly string[];
  readonly invalidReasons: readonly string[];
  readonly faults: { readonly attempts: number; readonly instancesKilled: number };
}
