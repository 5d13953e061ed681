/** @module Numbers and names as texts, the same in tables, figures and pages. Pure. */
import type {
  AnomalyCount,
  Cell,
  Comparison,
  Percentile,
  RunSummary,
  SuiteResult,
} from "#harness/record/run.ts";

/** `1.23 ms`; with fewer digits as it grows. */
export function formatMs(us: Percentile): string {
  if (typeof us !== "number") return `n/a (need ${us.need}, have ${us.have})`;
  const ms = us / 1_000;
  return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : String(Math.round(ms))} ms`;
}

/** `n/a` without reasons, for narrow columns. */
export function formatMsShort(us: Percentile): string {
  return typeof us === "number" ? formatMs(us).replace(" ms", "") : "n/a";
}

/** `12`, or `0 (< 3.0 per 10k)`: nothing seen still leaves a bound. */
export function formatAnomaly({ transactions, upperBoundPer10k }: AnomalyCount): string {
  return transactions > 0 ? String(transactions) : `0 (< ${upperBoundPer10k.toFixed(1)}/10k)`;
}

/**
 * What share of such intervals holds the true ratio: fewer than six blocks support less than 95 %, and one
 * block supports none (it is its own range).
 */
export function formatConfidence({ confidence, blocks }: Comparison): string {
  const known = confidence ?? (blocks < 6 ? Math.max(0, 1 - 2 ** (1 - blocks)) : 0.95);
  if (known === 0) return "one block: no interval";
  return `${Number((known * 100).toFixed(1))} %`;
}

/** What a store is called in figures: an emulated service by its own name. */
export function storeName({ storage, emulation }: Cell): string {
  return emulation === "none" ? storage : emulation;
}

export function isEmulated({ emulation }: Cell): boolean {
  return emulation !== "none";
}

export function kindOf({ labels }: RunSummary): string {
  if (labels.includes("emulated")) return "emulated";
  if (labels.includes("not-measured-on-aws")) return "not AWS";
  if (labels.includes("emulator")) return "npm emulator";
  return labels.includes("simulated") ? "simulated" : "measured";
}

/** By which calibration the numbers stand; its age is the one at the time of the suite. */
export function formatCalibration({ calibration, startedAtMs }: SuiteResult): string {
  if (calibration === undefined) return "calibration: not recorded";
  if (calibration === null) return "not calibrated: run aft-bench calibrate";
  const { hash, createdAtMs, passed, sameMachine } = calibration;
  const hours = Math.max(0, startedAtMs - createdAtMs) / 3_600_000;
  const age = hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(0)} days`;
  const place = sameMachine ? "" : ", ON ANOTHER MACHINE";
  return `${passed ? "calibrated" : "CALIBRATION FAILED"} ${age} before, certificate ${hash.slice(0, 12)}${place}`;
}
