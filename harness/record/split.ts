/**
 * @module Where the time of requests went: client, platform, function, shim, storage. Pure.
 *
 * Storage's part is seen by whoever calls it. Under `direct` that is the function, and there is no shim.
 * Behind a replica it is the replica, which counts over all requests of a block: it is told apart for
 * warm requests only, and only where one client waits for each, so that waits do not overlap.
 */
import { quantile } from "#harness/stats/quantile.ts";
import type { AttemptRecord, AttemptTimes } from "./attempts.ts";
import type { Measurements } from "./measurements.ts";
import type { RunManifest, RunSummary, SplitTimes } from "./run.ts";

type Timed = AttemptRecord & { readonly times: AttemptTimes };

export function splitOf(run: {
  readonly manifest: RunManifest;
  readonly attempts: readonly AttemptRecord[];
  readonly measurements: Pick<Measurements, "storage">;
}): Pick<RunSummary, "split"> {
  const { manifest, attempts, measurements } = run;
  const timed = attempts.filter(
    (attempt): attempt is Timed => attempt.times !== undefined && attempt.outcome === "committed",
  );
  if (timed.length === 0) return {};
  const { system, clients } = manifest.cell;
  const { waitedUs } = measurements.storage ?? {};
  const isSequential = clients === 1 && waitedUs !== undefined;
  const behindReplica = isSequential ? waitedUs / timed.length : null;
  const partOf = (some: readonly Timed[], storageUs: number | null): SplitTimes | null => {
    if (some.length === 0) return null;
    const mean = (of: (one: AttemptTimes) => number | null): number | null =>
      meanOf(some.map(({ times }) => of(times)));
    const totals = some.map(({ startUs, endUs }) => endUs - startUs);
    const stateUs = mean((times) => times.stateUs) ?? 0;
    const storage = system === "direct" ? stateUs : storageUs;
    return {
      requests: some.length,
      totalUs: {
        mean: meanOf(totals) ?? 0,
        p25: round(quantile(totals, 0.25)),
        p50: round(quantile(totals, 0.5)),
        p75: round(quantile(totals, 0.75)),
      },
      clientUs: mean((times) => times.clientUs),
      platformUs: mean((times) => times.platformUs),
      functionUs: mean((times) => times.functionUs) ?? 0,
      stateUs,
      shimUs: system === "direct" || storage === null ? null : round(stateUs - storage),
      storageUs: storage === null ? null : round(storage),
      initMs: mean((times) => times.initMs),
      billedMs: mean((times) => times.billedMs),
    };
  };
  const isCold = ({ coldStarts }: Timed): boolean => coldStarts > 0;
  return {
    split: {
      cold: partOf(timed.filter(isCold), null),
      warm: partOf(
        timed.filter((one) => !isCold(one)),
        behindReplica,
      ),
    },
  };
}

/** Null as soon as one is not known: a mean of some would be of others. */
function meanOf(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return values.length === 0 ? null : round(sum / values.length);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
