/**
 * @module A fleet as Lambda functions: one function, deployed for this plan, invoked once for each part, and
 * taken away again.
 *
 * Nothing is spent that nobody named: the platform's own rules hold (`faas/lambda/open.ts`), and every part is
 * reckoned with its whole time limit before the first is invoked.
 */
import { fileURLToPath } from "node:url";
import type { Clock } from "#kit/clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { createApiDeployment } from "#harness/faas/lambda/api-deployment.ts";
import { createDryRun } from "#harness/faas/lambda/control-plane.ts";
import { estimateCostUsd } from "#harness/faas/lambda/cost.ts";
import { openLambda } from "#harness/faas/lambda/open.ts";
import { isAws, type LambdaTarget } from "#harness/faas/lambda/settings.ts";
import type { FunctionSpec, InvocationOutcome } from "#harness/faas/port.ts";
import type { RunManifest } from "#harness/record/run.ts";
import { partName } from "./errors.ts";
import type { PartAnswer, PartEvent } from "./lambda-handler.ts";
import { isOnLoopback } from "./reach.ts";
import type { FleetPlan } from "./plan.ts";

/** Lambda's own. */
export const mostLambdaSeconds = 900;
const functionName = "aft-bench-generator";
const handlerPath = fileURLToPath(
  import.meta.resolve("#harness/experiment/fleet/remote/lambda-handler.ts"),
);

export interface LaunchOptions {
  readonly plan: FleetPlan;
  /** As it was read: its hash is what parts are known by. */
  readonly text: string;
  readonly target: LambdaTarget;
  readonly git: RunManifest["git"];
  readonly say: (line: string) => void;
}

/** What became of each part's invocation. */
export interface LaunchedPart {
  readonly index: number;
  readonly answer?: PartAnswer;
  /** Why there is none. */
  readonly problem?: string;
}

/** @throws ConfigError listing all that keeps a plan from running on Lambda */
export function checkForLambda({ plan, target }: Pick<LaunchOptions, "plan" | "target">): number {
  const problems = [];
  const { timeLimitSeconds, parts, gatherSeconds } = plan;
  if (timeLimitSeconds > mostLambdaSeconds)
    problems.push({
      where: "fleet plan",
      what: `takes up to ${timeLimitSeconds} s, and a function on Lambda ${mostLambdaSeconds} s at most`,
      hint: `a shorter load, or less than --gather-seconds ${gatherSeconds}`,
    });
  const { settings } = target;
  const onAws = isAws(settings.endpoint);
  if (onAws && isOnLoopback(plan))
    problems.push({
      where: "fleet plan",
      what: "names addresses on loopback, which for a function is the function itself",
      hint: "addresses that functions reach: --aft, --store, --to",
    });
  const usd = estimateCostUsd(settings, {
    invocations: parts,
    billedMs: Math.min(timeLimitSeconds, mostLambdaSeconds) * 1_000,
    seconds: timeLimitSeconds,
  });
  if (usd > settings.maxCostUsd && (onAws || target.ceilingNamed))
    problems.push({
      where: "--max-cost-usd",
      what: `${parts} parts cost up to ${usd.toFixed(4)} USD by the price table, above ${settings.maxCostUsd}`,
      hint: "fewer or shorter parts, or a higher ceiling",
    });
  if (problems.length > 0) throw new ConfigError(problems);
  return usd;
}

function specOf({ timeLimitSeconds, parts }: FleetPlan): FunctionSpec {
  return {
    name: functionName,
    modulePath: handlerPath,
    exportName: "handler",
    environment: {},
    concurrencyLimit: parts,
    timeoutMs: timeLimitSeconds * 1_000,
  };
}

/** Prints every call that `launchOnLambda` would make. */
export async function dryRunOnLambda(
  options: Omit<LaunchOptions, "say"> & { readonly print: (line: string) => void },
): Promise<void> {
  checkForLambda(options);
  const { plan, text, target, git, print } = options;
  const { settings } = target;
  const { role } = settings;
  if (isAws(settings.endpoint) && !role.startsWith("arn:"))
    print(JSON.stringify({ service: "IAM", operation: "GetRole", input: { RoleName: role } }));
  const deployment = createApiDeployment({
    control: createDryRun(print),
    settings,
    roleArn: role.startsWith("arn:") ? role : `<ARN of ${role}>`,
    deploymentId: "<id>",
  });
  await deployment.deploy([specOf(plan)]);
  const to = deployment.find(functionName);
  for (let index = 0; index < plan.parts; index += 1) {
    const event: PartEvent = { plan: text, index, git };
    const payload = `<${Buffer.byteLength(JSON.stringify(event))} bytes>`;
    const input = {
      FunctionName: to?.functionName,
      Qualifier: to?.qualifier,
      InvocationType: "RequestResponse",
      Payload: payload,
    };
    print(JSON.stringify({ operation: "Invoke", input, part: partName(index, plan.parts) }));
  }
  await deployment.tearDown();
}

/**
 * Deploys, invokes all parts at once, waits for them, and takes the function away. A part that fails is named
 * and not tried again: its load is over by then. Once `signal` is aborted nothing is waited for; what is under
 * way on AWS ends by the plan's time limit, and costs until then.
 *
 * Rejects with `NotAvailableError` where Lambda may not or cannot be used, and with `ConfigError`.
 */
export async function launchOnLambda(
  options: LaunchOptions & { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<LaunchedPart[]> {
  const { plan, text, target, git, say, clock, signal } = options;
  const usd = checkForLambda(options);
  say(`lambda: at most ${usd.toFixed(4)} USD by the price table, if it is AWS; no bill`);
  const platform = await openLambda({ clock, lambda: { ...target, say } });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await platform.deploy([specOf(plan)]);
    say(`lambda: ${plan.parts} parts on ${platform.place?.name ?? "an endpoint"}`);
    const invocations = Array.from({ length: plan.parts }, async (_unused, index) => {
      const event: PartEvent = { plan: text, index, git };
      const invocation = platform
        .invoke(functionName, event)
        .then((ended) => launchedOf(index, ended));
      const launched = await Promise.race([
        invocation,
        stopped.then(() => ({ index, problem: "stopped" })),
      ]);
      const { problem = "has put its record there" } = launched;
      say(`${partName(index, plan.parts)}: ${problem}`);
      return launched;
    });
    return await Promise.all(invocations);
  } finally {
    await platform.close();
  }
}

function launchedOf(index: number, outcome: InvocationOutcome): LaunchedPart {
  if (outcome.kind === "ok") return { index, answer: outcome.result as PartAnswer };
  const said = "message" in outcome ? `: ${outcome.message}` : "";
  return { index, problem: `${outcome.kind}${said}` };
}
