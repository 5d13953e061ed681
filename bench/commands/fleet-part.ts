/** @module `aft-bench fleet run-part`; loads no more than it needs, since pods start it. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { ConfigError, describeError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import {
  partName,
  PartStoppedError,
  StartMissedError,
} from "#harness/experiment/fleet/remote/errors.ts";
import { attemptPattern } from "#harness/experiment/fleet/remote/part.ts";
import type { FleetPlan } from "#harness/experiment/fleet/remote/plan.ts";
import { runPart } from "#harness/experiment/fleet/remote/run-part.ts";
import { describeHere } from "#harness/experiment/manifest.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import type { PartFlags } from "./fleet-flags.ts";
import { openPlan } from "./fleet-open.ts";

/** The exit code: 3 after the start, 130 when it was stopped; nothing is left then. */
export async function runOnePart(flags: PartFlags): Promise<number> {
  const clock = createSystemClock({ precise: true });
  const { plan, objects } = await openPlan(flags.plan, clock);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  const directory = makeOwnDirectory("part");
  try {
    const index = indexOf(flags, plan);
    const attempt = flags.attempt ?? randomUUID();
    if (!attemptPattern.test(attempt)) {
      const what = "is no name: letters, digits and -, at most 64";
      throw new ConfigError([{ where: "--attempt", what }]);
    }
    const { kind } = await runPart({
      plan,
      index,
      attempt,
      objects,
      clock,
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(plan.timeLimitSeconds * 1_000)]),
      directory,
      here: describeHere(),
      say: flags.quiet === true ? () => {} : say,
    });
    const done = kind === "uploaded" ? "is" : "was already";
    if (flags.quiet !== true) say(`${partName(index, plan.parts)} ${done} in ${objects.place}`);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof PartStoppedError && stop.signal.aborted) {
      say(describeError(error));
      return exitCodes.interrupted;
    }
    if (!(error instanceof StartMissedError)) throw error;
    say(`${error.code}: ${error.message}`);
    return exitCodes.invalid;
  } finally {
    stop.dispose();
    objects.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function indexOf({ index }: PartFlags, { parts }: FleetPlan): number {
  const given = process.env["JOB_COMPLETION_INDEX"];
  const chosen = index ?? (given === undefined || given === "" ? undefined : Number(given));
  if (chosen !== undefined && Number.isInteger(chosen) && chosen >= 0 && chosen < parts)
    return chosen;
  const where = index === undefined ? "JOB_COMPLETION_INDEX" : "--index";
  const what =
    chosen === undefined
      ? "which part is not said"
      : `${index ?? given} is none of the parts 0 to ${parts - 1}`;
  throw new ConfigError([{ where, what, hint: "--index N, as an Indexed Job sets it" }]);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
