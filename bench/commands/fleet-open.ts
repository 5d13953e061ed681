/** @module A fleet's plan and the place where its parts meet, as commands are told them. */
import { readFile } from "node:fs/promises";
import type { Clock } from "#kit/clock.ts";
import { ConfigError, describeError } from "#kit/errors.ts";
import { fetchPlan } from "#harness/experiment/fleet/remote/make-plan.ts";
import { type ObjectStore, openObjects } from "#harness/experiment/fleet/remote/objects.ts";
import { type FleetPlan, parseFleetPlan } from "#harness/experiment/fleet/remote/plan.ts";

export interface OpenedPlan {
  readonly plan: FleetPlan;
  readonly text: string;
  readonly objects: ObjectStore;
}

/** From a file, or from where parts meet. Rejects with `ConfigError`. */
export async function openPlan(source: string, clock: Clock): Promise<OpenedPlan> {
  if (/^(s3:\/\/|dir:)/.test(source)) {
    const objects = await openObjects(source, { clock, where: "--plan" });
    try {
      const plan = await fetchPlan(objects);
      return { plan, text: JSON.stringify(plan, undefined, 2), objects };
    } catch (error) {
      objects.close();
      throw error;
    }
  }
  let text: string;
  try {
    text = await readFile(source, "utf8");
  } catch (cause) {
    const what = `${source} cannot be read: ${describeError(cause)}`;
    throw new ConfigError([{ where: "--plan", what }], { cause });
  }
  const plan = parseFleetPlan(text, source);
  return { plan, text, objects: await openObjects(plan.objects, { clock, where: source }) };
}
