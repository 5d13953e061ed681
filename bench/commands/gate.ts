/** @module `aft-bench gate`: exact counts against the baseline, times against a base revision. */
import { appendFile, writeFile } from "node:fs/promises";
import { formatGates, gatesToJunit, gatesToMarkdown } from "#harness/gate/format.ts";
import { judgeExact } from "#harness/gate/exact.ts";
import { type GateOutcome, type GateResult, worstOutcome } from "#harness/gate/outcome.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { readExactBaseline } from "#bench/gates/baselines.ts";
import { compareSides } from "#bench/ab-block/ab.ts";
import { runExact } from "#bench/gates/exact-run.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { abOptions, type TimeFlags } from "./ab.ts";

export interface GateOptions {
  readonly exact: boolean;
  /** The base revision of the time gate; absent: no time gate. */
  readonly time?: TimeFlags & { readonly base: string };
  readonly json: boolean;
  readonly junit?: string;
  readonly markdown?: string;
}

const codeOf: Readonly<Record<GateOutcome, number>> = {
  pass: exitCodes.ok,
  fail: exitCodes.thresholdMissed,
  inconclusive: exitCodes.inconclusive,
};

/** The exit code: 0 all passed, 99 one failed, 4 cannot tell. */
export async function gate(options: GateOptions): Promise<number> {
  const results: GateResult[] = [];
  if (options.exact) results.push(await exactGate());
  if (options.time !== undefined) {
    const stop = listenForStop(() => process.exit(exitCodes.interrupted));
    try {
      results.push(await timeGateAgainst(options.time, stop.signal));
      if (stop.signal.aborted) return exitCodes.interrupted;
    } finally {
      stop.dispose();
    }
  }
  const outcome = worstOutcome(results.map((result) => result.outcome));
  if (options.junit !== undefined) await writeFile(options.junit, gatesToJunit(results));
  // Appended, because that is what a step summary expects.
  if (options.markdown !== undefined) await appendFile(options.markdown, gatesToMarkdown(results));
  console.log(
    options.json ? JSON.stringify({ outcome, gates: results }, undefined, 2) : formatGates(results),
  );
  return codeOf[outcome];
}

async function timeGateAgainst(
  { base, ...flags }: TimeFlags & { readonly base: string },
  signal: AbortSignal,
): Promise<GateResult> {
  const { result, shown } = await compareSides({
    ...abOptions(flags, signal),
    baseRevision: base,
    base: { name: "base", system: "aft", settings: {} },
    candidate: { name: "this checkout", system: "aft", settings: {} },
  });
  const notes = shown.map(({ name, explanation }) => `not judged: ${name}: ${explanation}`);
  return { ...result, notes: [...result.notes, ...notes] };
}

/** Runs again before it fails: counts that do not repeat are no counts. */
export async function exactGate(): Promise<GateResult> {
  const baseline = await readExactBaseline();
  const first = await runExact();
  const judged = judgeExact(baseline, [first]);
  return judged.outcome === "pass" ? judged : judgeExact(baseline, [first, await runExact()]);
}
