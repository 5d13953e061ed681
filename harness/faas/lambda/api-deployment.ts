/**
 * @module Deployment through the Lambda API: on AWS, on our local platform, on whatever else answers it.
 *
 *   1. Names carry the deployment's id, and functions its tag; nothing without the tag is ever touched.
 *   2. Invocations go to an alias, which moves only when the new version is active.
 */
import { ProjectError } from "#kit/errors.ts";
import type { FunctionSpec } from "../port.ts";
import { bundleFunction } from "./bundle.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { DeployedTo, Deployment } from "./deployment.ts";
import type { LambdaSettings } from "./settings.ts";

const alias = "aft-bench";
const tag = "aft-bench-deployment";

/** A function of that name is there and is not ours. */
export class ForeignFunctionError extends ProjectError {
  readonly code = "foreign_function";
  readonly disposition = "abort";
}

export interface ApiDeploymentOptions {
  readonly control: ControlPlane;
  readonly settings: LambdaSettings;
  /** ARN of the role. */
  readonly roleArn: string;
  /** Distinguishes what this deployment made from everything else in the account. */
  readonly deploymentId: string;
}

export function createApiDeployment(options: ApiDeploymentOptions): Deployment {
  const { control, settings, deploymentId } = options;
  const deployed = new Map<string, DeployedTo>();
  return {
    endpoint: settings.endpoint,
    pids: [],
    deploy: async (functions) => {
      for (const spec of functions) {
        const functionName = `${spec.name}-${deploymentId}`;
        // Known before it is made: a deployment that fails half-way is torn down too.
        deployed.set(spec.name, { functionName, qualifier: alias });
        await deployOne(options, spec, functionName);
      }
    },
    find: (name) => deployed.get(name),
    tearDown: async () => {
      for (const [name, { functionName }] of deployed) {
        const found = await control.call({
          operation: "GetFunction",
          input: { FunctionName: functionName },
        });
        if (ownerOf(found) === deploymentId)
          await control.call({
            operation: "DeleteFunction",
            input: { FunctionName: functionName },
          });
        deployed.delete(name);
      }
    },
  };
}

async function deployOne(
  options: ApiDeploymentOptions,
  spec: FunctionSpec,
  FunctionName: string,
): Promise<void> {
  const { control, settings, deploymentId } = options;
  const { zip: ZipFile } = await bundleFunction(spec);
  const found = await control.call({ operation: "GetFunction", input: { FunctionName } });
  const configuration = configurationOf(options, spec);
  if (found === undefined) {
    const Code = { ZipFile };
    const { architecture } = settings;
    await control.call({
      operation: "CreateFunction",
      input: {
        FunctionName,
        ...configuration,
        Code,
        Architectures: [architecture],
        Tags: { [tag]: deploymentId },
      },
    });
  } else {
    if (ownerOf(found) !== deploymentId)
      throw new ForeignFunctionError(`"${FunctionName}" exists and is not of this deployment`);
    await control.call({ operation: "UpdateFunctionCode", input: { FunctionName, ZipFile } });
    await control.settled(FunctionName);
    await control.call({
      operation: "UpdateFunctionConfiguration",
      input: { FunctionName, ...configuration },
    });
  }
  await control.settled(FunctionName);
  await control.call({
    operation: "PutFunctionConcurrency",
    input: {
      FunctionName,
      ReservedConcurrentExecutions: settings.reservedConcurrency ?? spec.concurrencyLimit,
    },
  });
  const version = await control.call({ operation: "PublishVersion", input: { FunctionName } });
  const FunctionVersion = version?.["Version"];
  const operation = found === undefined ? "CreateAlias" : "UpdateAlias";
  await control.call({ operation, input: { FunctionName, Name: alias, FunctionVersion } });
  const { provisionedConcurrency } = settings;
  if (provisionedConcurrency !== undefined)
    await control.call({
      operation: "PutProvisionedConcurrencyConfig",
      input: {
        FunctionName,
        Qualifier: alias,
        ProvisionedConcurrentExecutions: provisionedConcurrency,
      },
    });
}

function configurationOf(
  { settings, roleArn }: ApiDeploymentOptions,
  spec: FunctionSpec,
): Record<string, unknown> {
  const { vpc, runtime, memoryMiB } = settings;
  return {
    Runtime: runtime,
    Role: roleArn,
    Handler: "index.handler",
    // Lambda knows whole seconds only.
    Timeout: Math.max(1, Math.ceil(spec.timeoutMs / 1_000)),
    MemorySize: memoryMiB,
    Environment: { Variables: spec.environment },
    ...(vpc !== undefined && {
      VpcConfig: { SubnetIds: vpc.subnetIds, SecurityGroupIds: vpc.securityGroupIds },
    }),
  };
}

function ownerOf(found: Readonly<Record<string, unknown>> | undefined): unknown {
  return (found?.["Tags"] as Record<string, unknown> | undefined)?.[tag];
}
