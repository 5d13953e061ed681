/** @module `aft-bench fleet plan`: fixes one cell, its load and who makes which part. */
import { randomUUID } from "node:crypto";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { makeFleetPlan, publishPlan } from "#harness/experiment/fleet/remote/make-plan.ts";
import { openObjects, parseObjectsAddress } from "#harness/experiment/fleet/remote/objects.ts";
import { parseFleetPlan } from "#harness/experiment/fleet/remote/plan.ts";
import { describeGit } from "#harness/metrics/machine.ts";
import { formatSeconds } from "#bench/text.ts";
import { givenBy, oneCell } from "./fleet-cell.ts";
import type { FleetPlanFlags } from "./fleet-flags.ts";

/** Prints the plan, and puts it where its parts will meet. */
export async function planFleet(experiment: string, flags: FleetPlanFlags): Promise<void> {
  const { definition, cell, profile } = oneCell(experiment, flags);
  const address = parseObjectsAddress(flags.to, "--to");
  const clock = createSystemClock();
  const { startAt, clockToleranceMs, validity } = flags;
  const plan = makeFleetPlan({
    experiment: definition.id,
    profile,
    plan: cell,
    given: givenBy(flags),
    seed: flags.seed,
    parts: flags.parts,
    start:
      startAt === undefined
        ? { kind: "when-ready", graceMs: Math.max(100, flags.graceSeconds * 1_000) }
        : { kind: "at", atMs: startAt },
    lateLimitMs: flags.lateLimitMs,
    ...(clockToleranceMs !== undefined && { clockToleranceMs }),
    gatherSeconds: flags.gatherSeconds,
    ...(validity !== undefined && { validity }),
    objects: address.kind === "directory" ? `dir:${address.path}` : flags.to,
    git: describeGit(),
    command: process.argv.slice(2),
    nowMs: clock.nowMs(),
    suffix: randomUUID().slice(0, 4),
  });
  // What parts will read is checked before they do.
  const text = JSON.stringify(parseFleetPlan(JSON.stringify(plan), "fleet plan"), undefined, 2);
  const objects = await openObjects(plan.objects, { clock, where: "--to" });
  try {
    await publishPlan(plan, objects);
  } finally {
    objects.close();
  }
  const most = formatSeconds(plan.timeLimitSeconds);
  process.stderr.write(
    `${plan.parts} parts, up to ${most} each; the plan is in ${objects.place}\n`,
  );
  console.log(text);
}
