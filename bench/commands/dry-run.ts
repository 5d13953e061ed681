/**
 * @module `run --dry-run`: every call to Lambda that a run would make, as JSON lines, and none made.
 *
 * Functions are bundled, since the archive's size is part of a call; servers are not started, so what
 * functions find in their environment is named only.
 */
import type { CellPlan } from "#harness/experiment/define.ts";
import { functionNameOf, functionSpecOf } from "#harness/experiment/environment.ts";
import type { LambdaPlace } from "#harness/experiment/lambda-place.ts";
import { groupCells } from "#harness/experiment/group.ts";
import { createApiDeployment } from "#harness/faas/lambda/api-deployment.ts";
import { createDryRun } from "#harness/faas/lambda/control-plane.ts";
import { defaultLambdaSettings, isAws } from "#harness/faas/lambda/settings.ts";
import { requestsOf } from "#harness/loadgen/load.ts";

/** Resolves when all is printed. */
export async function dryRun(options: {
  readonly cells: readonly CellPlan[];
  readonly place: LambdaPlace | undefined;
  readonly print: (line: string) => void;
}): Promise<void> {
  const { place, print } = options;
  const settings = place?.target.settings ?? defaultLambdaSettings;
  const cells = options.cells.filter(({ platform }) => platform.name === "lambda");
  for (const { groups } of groupCells(cells)) {
    const plans = groups.flatMap((group) => group.plans);
    const { role } = settings;
    if (isAws(settings.endpoint) && !role.startsWith("arn:"))
      print(JSON.stringify({ service: "IAM", operation: "GetRole", input: { RoleName: role } }));
    const deployment = createApiDeployment({
      control: createDryRun(print),
      settings,
      roleArn: role.startsWith("arn:") ? role : `<ARN of ${role}>`,
      deploymentId: "<id>",
    });
    const systems = [...new Set(plans.map(({ system }) => system))];
    await deployment.deploy(systems.map((system) => functionSpecOf({ system, spec: {}, plans })));
    for (const { system, load, workload, cell } of plans) {
      const functions = Number(workload.parameters["functions"] ?? 1);
      const to = deployment.find(functionNameOf(system));
      const input = { FunctionName: to?.functionName, Qualifier: to?.qualifier };
      const times = requestsOf(load) * functions;
      print(JSON.stringify({ operation: "Invoke", input, times, cell }));
    }
    await deployment.tearDown();
  }
}
