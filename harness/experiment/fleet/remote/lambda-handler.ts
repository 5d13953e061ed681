/**
 * @module A part of a fleet as a Lambda function: one invocation is one part.
 *
 * Bundled by `faas/lambda/bundle.ts` into one file, so it sees no file of this repository.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { InvocationContext } from "#harness/faas/port.ts";
import { describeMachine } from "#harness/metrics/machine.ts";
import type { RunManifest } from "#harness/record/run.ts";
import { openObjects } from "./objects.ts";
import { parseFleetPlan } from "./plan.ts";
import { runPart } from "./run-part.ts";

/** What an invocation is given. */
export interface PartEvent {
  /** The plan's text: it may be younger than the objects are consistent. */
  readonly plan: string;
  readonly index: number;
  /** Of the sources that were bundled. */
  readonly git: RunManifest["git"];
}

export interface PartAnswer {
  readonly kind: "uploaded" | "already-there";
  readonly index: number;
  readonly attempt: string;
  readonly requests: string;
}

/** What is left of an invocation's time when a part is given up, so that its end is ours and no kill. */
const spareMs = 5_000;

export async function handler(payload: unknown, context: InvocationContext): Promise<PartAnswer> {
  const { plan: text, index, git } = payload as PartEvent;
  const plan = parseFleetPlan(text, "the invocation's plan");
  const clock = createSystemClock({ precise: true });
  const objects = await openObjects(plan.objects, { clock });
  const directory = await mkdtemp(join(tmpdir(), "aft-bench-part-"));
  const limitMs = Math.min(plan.timeLimitSeconds * 1_000, context.remainingTimeMs() - spareMs);
  try {
    const { kind, record } = await runPart({
      plan,
      index,
      attempt: randomUUID(),
      objects,
      clock,
      signal: AbortSignal.timeout(Math.max(1, Math.floor(limitMs))),
      directory,
      here: {
        git,
        machine: describeMachine(),
        versions: { node: process.versions.node },
      },
      say: () => {},
    });
    const { attempt, files } = record;
    return { kind, index, attempt, requests: files["requests.ndjson.gz"].sha256 };
  } finally {
    objects.close();
    await rm(directory, { recursive: true, force: true });
  }
}
