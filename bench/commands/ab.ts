/** @module `aft-bench ab`: two systems, two configurations or two revisions, interleaved in one run. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { formatRatio } from "#harness/gate/time.ts";
import { defaultReplicaSettings } from "#shim/aft/replica/options.ts";
import { stateSystemNames } from "#shim/state/registry.ts";
import { type AbOptions, type AbSide, compareSides } from "#bench/ab-block/ab.ts";
import type { AbBlocks } from "#bench/ab-block/interleave.ts";
import type { AbStore } from "#bench/ab-block/stores.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatColumns } from "#bench/text.ts";

export interface TimeFlags {
  readonly blocks: number;
  readonly blockMs: number;
  readonly clients: number;
  readonly seed: number;
  readonly threshold: number;
  readonly tailThreshold: number;
  readonly attempts: number;
  readonly storage: AbStore;
}

export interface AbFlags extends TimeFlags {
  readonly base?: string;
  readonly json: boolean;
}

/** What `gate` and `ab` share. */
export function abOptions(
  flags: TimeFlags,
  signal: AbortSignal,
): Omit<AbOptions, "base" | "candidate"> {
  const { blocks, blockMs, clients, seed, threshold, tailThreshold, attempts, storage } = flags;
  return {
    storage,
    seed,
    clients,
    threshold,
    tailThreshold,
    sizes: { blocks, blockMs, warmUpMs: 2 * blockMs },
    maxAttempts: attempts,
    signal,
    note: (text) => process.stderr.write(`${text}\n`),
  };
}

/** The exit code; the ratio decides nothing here, so a slower candidate is not a failure. */
export async function ab(sides: readonly string[], flags: AbFlags): Promise<number> {
  const [baseText = "aft", candidateText = baseText] = sides;
  const { base, candidate } = parseSides(baseText, candidateText, flags.base);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const { result, judgements, shown, blocks } = await compareSides({
      ...abOptions(flags, stop.signal),
      maxAttempts: 1,
      base,
      candidate,
      ...(flags.base !== undefined && { baseRevision: flags.base }),
    });
    if (flags.json) {
      const ratios = [...judgements, ...shown].map(({ name, ratio, aa, p }) => ({
        name,
        ratio,
        aa,
        mannWhitneyP: p,
      }));
      const document = { conditions: result.notes, ratios, blocks: withoutTimes(blocks) };
      console.log(JSON.stringify(document, undefined, 2));
    } else {
      const rows = [...judgements, ...shown].map(({ name, ratio, aa, p }) => [
        name,
        `candidate/base ${formatRatio(ratio)}`,
        `A/A ${formatRatio(aa)}`,
        p === undefined ? "" : `Mann-Whitney p ${p.toPrecision(2)}`,
      ]);
      console.log([...result.notes, formatColumns(rows)].join("\n"));
    }
    return stop.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
  } finally {
    stop.dispose();
  }
}

/** Single times are for percentiles; a reader wants the blocks. */
function withoutTimes(blocks: AbBlocks): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(blocks).map(([side, answers]) => [
      side,
      answers.map(({ timesUs: _dropped, ...rest }) => rest),
    ]),
  );
}

function parseSides(
  baseText: string,
  candidateText: string,
  revision: string | undefined,
): { base: AbSide; candidate: AbSide } {
  const problems: ConfigProblem[] = [];
  const base = parseSide(baseText, problems);
  const candidate = parseSide(candidateText, problems);
  if (baseText === candidateText && revision === undefined)
    problems.push({
      where: "ab",
      what: "both sides are the same",
      hint: "name two systems or configurations, or a revision with --base",
    });
  if (problems.length > 0) throw new ConfigError(problems);
  return { base, candidate };
}

/** `aft`, `direct`, `aft:cacheBytes=0,gcIntervalMs=5`. */
function parseSide(text: string, problems: ConfigProblem[]): AbSide {
  const [system = "", list = ""] = text.split(":");
  if (!stateSystemNames.includes(system)) {
    const hint = `known: ${stateSystemNames.join(", ")}`;
    problems.push({ where: text, what: `no system is called "${system}"`, hint });
  }
  const settings: Record<string, number | string> = {};
  for (const part of list.split(",").filter((item) => item !== "")) {
    const [name = "", value = ""] = part.split("=");
    const known: Readonly<Record<string, unknown>> = { ...defaultReplicaSettings };
    const standard = known[name];
    if (system !== "aft" || standard === undefined) {
      const hint = `of aft: ${Object.keys(known).join(", ")}`;
      problems.push({ where: text, what: `no replica setting is called "${name}"`, hint });
    } else if (typeof standard === "number" && !(value !== "" && Number(value) >= 0)) {
      problems.push({ where: text, what: `${name} is a number, not "${value}"` });
    } else settings[name] = typeof standard === "number" ? Number(value) : value;
  }
  return { name: text, system, settings };
}
