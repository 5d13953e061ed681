/**
 * @module The platform `lambda` as runs use it: on AWS, at an endpoint, or on our own local platform
 * through the same API.
 *
 * Nothing is asked of AWS without credentials in the environment, and nothing is spent there that nobody
 * named: whoever has an AWS profile and runs a suite must not find it on a bill.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "#kit/clock.ts";
import { NotAvailableError } from "#kit/errors.ts";
import { createLocalPlatform } from "../local/platform.ts";
import { createApiDeployment } from "./api-deployment.ts";
import { createControlPlane, LambdaApiError } from "./control-plane.ts";
import type { Deployment } from "./deployment.ts";
import { createLambdaClient, createLambdaPlatform, type LambdaPlatform } from "./platform.ts";
import { resolveRole } from "./role.ts";
import { isAws, type LambdaTarget, ownEndpoint } from "./settings.ts";

const what = "the platform lambda";

export interface OpenLambdaOptions {
  readonly clock: Clock;
  /** Absent: nobody named one. */
  readonly lambda?: LambdaTarget;
  readonly tailLogs?: boolean;
  /** Of our own platform. */
  readonly eventRetryPausesMs?: readonly [number, number] | undefined;
}

/** Rejects with `NotAvailableError` where there is none, `ConfigError` for a role that is not there. */
export async function openLambda(options: OpenLambdaOptions): Promise<LambdaPlatform> {
  const target = allowed(options.lambda);
  const { clock, tailLogs = false } = options;
  if (target.settings.endpoint !== ownEndpoint) return openAt(target, { clock, tailLogs });
  const { eventRetryPausesMs } = options;
  const local = await createLocalPlatform({ clock, eventRetryPausesMs });
  const settings = { ...target.settings, endpoint: local.endpoint };
  try {
    return await openAt({ ...target, settings }, { clock, tailLogs, local });
  } catch (error) {
    await local.close();
    throw error;
  }
}

/** What may be asked and spent there. @throws NotAvailableError saying what is missing */
export function allowed(target: LambdaTarget | undefined): LambdaTarget {
  if (target === undefined) {
    const why = "no endpoint was named, and nothing is spent on AWS unasked";
    const get =
      "--lambda-endpoint URL (or local), or --max-cost-usd N with AWS credentials and --lambda-role";
    throw new NotAvailableError({ what, why, get });
  }
  if (!isAws(target.settings.endpoint)) return target;
  if (!target.credentials)
    throw new NotAvailableError({
      what,
      why: "no AWS credentials in the environment, and no endpoint was named",
      get: "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or --lambda-endpoint URL",
    });
  if (!target.ceilingNamed)
    throw new NotAvailableError({ what, why: "AWS charges for it", get: "--max-cost-usd N" });
  return target;
}

async function openAt(
  { settings, onCeiling, say }: LambdaTarget,
  more: {
    readonly clock: Clock;
    readonly tailLogs: boolean;
    readonly local?: { readonly pids: readonly number[]; close(): Promise<void> };
  },
): Promise<LambdaPlatform> {
  const { clock, tailLogs, local } = more;
  const client = createLambdaClient(settings);
  const close = async (): Promise<void> => {
    client.destroy();
    await local?.close();
  };
  try {
    const control = createControlPlane(client);
    const roleArn = await resolveRole(settings, say);
    await probe(control, settings.endpoint);
    // Short, so that names stay below Lambda's 64 characters.
    const deploymentId = randomUUID().slice(0, 8);
    const api = createApiDeployment({ control, settings, roleArn, deploymentId });
    const deployment: Deployment = {
      ...api,
      pids: local?.pids ?? [],
      ...(local !== undefined && { emulator: "our local platform behind the Lambda API" }),
      tearDown: async () => {
        try {
          await api.tearDown();
        } finally {
          await close();
        }
      },
    };
    const ceiling = onCeiling === undefined ? {} : { onCeiling };
    return createLambdaPlatform({ settings, deployment, clock, tailLogs, ...ceiling });
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** Somebody answers, and knows what a function is. */
async function probe(
  control: ReturnType<typeof createControlPlane>,
  endpoint: string | undefined,
): Promise<void> {
  try {
    const FunctionName = "aft-bench-is-anybody-there";
    await control.call({ operation: "GetFunction", input: { FunctionName } });
  } catch (cause) {
    if (!(cause instanceof LambdaApiError) || isAws(endpoint)) throw cause;
    const why = `nothing at ${endpoint} answers GetFunction`;
    const get = "an endpoint with the whole Lambda API, or --lambda-endpoint local";
    throw new NotAvailableError({ what, why, get, cause });
  }
}
