/** @module `aft-bench fleet render` and `launch`: who makes the parts of a plan elsewhere. */
import { NotAvailableError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { partName } from "#harness/experiment/fleet/remote/errors.ts";
import {
  dryRunOnLambda,
  type LaunchedPart,
  launchOnLambda,
} from "#harness/experiment/fleet/remote/launch-lambda.ts";
import { defaultJobOptions, renderJob } from "#harness/experiment/fleet/remote/render-job.ts";
import { defaultLambdaSettings, type LambdaTarget } from "#harness/faas/lambda/settings.ts";
import { describeGit } from "#harness/metrics/machine.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import type { LaunchFlags, RenderFlags } from "./fleet-flags.ts";
import { openPlan } from "./fleet-open.ts";
import { lambdaPlaceOf } from "./lambda-target.ts";

/** On stdout; nothing is touched. */
export async function renderFleet(flags: RenderFlags): Promise<void> {
  const { plan, text, objects } = await openPlan(flags.plan, createSystemClock());
  objects.close();
  if (flags.target === "lambda") {
    await printCalls(flags, { plan, text });
    return;
  }
  const { plan: _plan, target: _target, ...given } = flags;
  process.stdout.write(renderJob(plan, text, { ...defaultJobOptions, ...given }));
}

/** The exit code: 1 where a part failed, with the reason of each on stderr. */
export async function launchFleet(flags: LaunchFlags): Promise<number> {
  const clock = createSystemClock();
  const { plan, text, objects } = await openPlan(flags.plan, clock);
  objects.close();
  if (flags.dryRun === true) {
    await printCalls(flags, { plan, text });
    return exitCodes.ok;
  }
  const target = targetOf(flags);
  if (target === undefined)
    throw new NotAvailableError({
      what: "Lambda",
      why: "no endpoint was named, and nothing is spent on AWS unasked",
      get: "--lambda-endpoint URL (or local), or --max-cost-usd N with AWS credentials and --lambda-role",
    });
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const launched = await launchOnLambda({
      plan,
      text,
      target,
      git: describeGit(),
      clock,
      signal: stop.signal,
      say: (line) => process.stderr.write(`${line}\n`),
    });
    console.log(flags.json === true ? JSON.stringify({ parts: launched }) : format(launched));
    if (stop.signal.aborted) return exitCodes.interrupted;
    const failed = launched.some(({ problem }) => problem !== undefined);
    return failed ? exitCodes.internal : exitCodes.ok;
  } finally {
    stop.dispose();
  }
}

function printCalls(
  flags: LaunchFlags | RenderFlags,
  { plan, text }: { readonly plan: Parameters<typeof dryRunOnLambda>[0]["plan"]; text: string },
): Promise<void> {
  const target = targetOf(flags) ?? {
    settings: defaultLambdaSettings,
    credentials: false,
    ceilingNamed: false,
  };
  const print = (line: string): void => {
    console.log(line);
  };
  return dryRunOnLambda({ plan, text, target, git: describeGit(), print });
}

function targetOf(flags: LaunchFlags | RenderFlags): LambdaTarget | undefined {
  return lambdaPlaceOf(flags, process.env)?.target;
}

function format(launched: readonly LaunchedPart[]): string {
  const lines = launched.map(
    ({ index, answer, problem }) =>
      `${partName(index, launched.length)}  ${answer?.kind ?? "failed"}  ${problem ?? answer?.attempt ?? ""}`,
  );
  return lines.join("\n");
}
