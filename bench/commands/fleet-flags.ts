/** @module `aft-bench fleet …`: load from many machines. Actions: fleet-plan.ts, fleet-part.ts, …. */
import { type Command, Option } from "commander";
import { profileNames } from "#harness/experiment/define.ts";
import { type Validity, validityNames } from "#harness/metrics/validity.ts";
import { collect, dateOption, numberOption } from "#bench/flags.ts";
import type { LambdaFlags } from "./lambda-flags.ts";
import { addLambdaFlags } from "./lambda-flags.ts";
import type { LoadFlags } from "./load-flags.ts";
import { addLoadFlags } from "./load-options.ts";

export interface FleetPlanFlags extends LoadFlags {
  readonly profile?: string;
  readonly smoke?: boolean;
  readonly only: readonly string[];
  readonly seed: number;
  readonly parts: number;
  readonly to: string;
  readonly store?: string;
  readonly aft?: string;
  readonly aftUsername?: string;
  readonly aftPasswordFile?: string;
  readonly aftCa?: string;
  readonly startAt?: number;
  readonly graceSeconds: number;
  readonly lateLimitMs: number;
  readonly clockToleranceMs?: number;
  readonly gatherSeconds: number;
  readonly validity?: Validity;
}

export interface PartFlags {
  readonly plan: string;
  readonly index?: number;
  readonly attempt?: string;
  readonly quiet?: boolean;
}

export interface MergeFlags {
  readonly plan: string;
  readonly out: string;
  readonly allowMissing?: boolean;
  readonly json?: boolean;
  readonly keepInvalid?: boolean;
}

export interface RenderFlags extends LambdaFlags {
  readonly plan: string;
  readonly target: "k8s-job" | "lambda";
  readonly name?: string;
  readonly namespace?: string;
  readonly image?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly credentialsSecret?: string;
  readonly aftSecret?: string;
  readonly awsRole?: string;
  readonly volumeClaim?: string;
}

export interface LaunchFlags extends LambdaFlags {
  readonly plan: string;
  readonly json?: boolean;
}

const planFlag = [
  "--plan <file>",
  "a plan's file, or where its parts meet: s3://…, dir:…",
] as const;

export function addFleet(program: Command, setExitCode: (code: number) => void): void {
  const fleet = program
    .command("fleet")
    .description("load from many machines; see harness/experiment/fleet/README.md");
  addPlan(fleet);
  fleet
    .command("run-part")
    .description("make one part of the load, and put its record where the parts meet")
    .requiredOption(...planFlag)
    .addOption(numberOption("--index <n>", "which part, from 0 (JOB_COMPLETION_INDEX)"))
    .option("--attempt <id>", "tells repeats of a part apart (a new one each time)")
    .option("--quiet", "no progress")
    .action(async (flags: PartFlags) => {
      const { runOnePart } = await import("./fleet-part.ts");
      setExitCode(await runOnePart(flags));
    });
  fleet
    .command("merge")
    .description("check that all parts are there, and make them one run")
    .requiredOption(...planFlag)
    .option("--out <dir>", "where run directory and figures go", "results")
    .option("--allow-missing", "without all parts: the run is partial and invalid")
    .option("--json", "one JSON document on stdout")
    .option("--keep-invalid", "show an invalid run all the same, stamped INVALID")
    .action(async (flags: MergeFlags) => {
      const { mergeFleet } = await import("./fleet-merge.ts");
      setExitCode(await mergeFleet(flags));
    });
  addRender(fleet);
  addLambdaFlags(fleet.command("launch"), { cells: false })
    .description("run all parts as Lambda functions, deployed for it and taken away again")
    .requiredOption(...planFlag)
    .option("--json", "one JSON document on stdout")
    .action(async (flags: LaunchFlags) => {
      const { launchFleet } = await import("./fleet-launch.ts");
      setExitCode(await launchFleet(flags));
    });
}

function addPlan(fleet: Command): void {
  addLoadFlags(fleet.command("plan"))
    .description("fix one cell, its load and who makes which part; prints the plan")
    .argument("<experiment>", "see list")
    .requiredOption("--to <place>", "where parts meet: s3://BUCKET/PREFIX?region=R, or dir:PATH")
    .addOption(numberOption("--parts <n>", "machines that make load").makeOptionMandatory())
    .addOption(new Option("--profile <size>", "how much").choices([...profileNames]))
    .option("--smoke", "smallest size, to see that it works (= --profile smoke)")
    .option("--only <factor:level>", "the cell (repeatable)", collect, [])
    .addOption(numberOption("--seed <n>", "seed of keys, order and payloads").default(1))
    .option("--aft <host:port,…>", "replicas that are up")
    .option("--aft-username <name>", "how parts log in there")
    .option("--aft-password-file <path>", "on the parts' machines")
    .option("--aft-ca <path>", "TLS, with this authority; on the parts' machines")
    .option("--store <url>", "the store that is up: what direct uses, or what is behind --aft")
    .addOption(
      dateOption("--start-at <time>", "ISO 8601, by all clocks; absent: when all are ready"),
    )
    .addOption(
      numberOption("--grace-seconds <n>", "from the last part's readiness to the start").default(5),
    )
    .addOption(
      numberOption("--gather-seconds <n>", "how long parts wait for each other").default(120),
    )
    .addOption(
      numberOption("--late-limit-ms <n>", "a later part makes the run invalid").default(250),
    )
    .addOption(
      numberOption("--clock-tolerance-ms <n>", "you know that no clock is further off than this"),
    )
    .addOption(
      new Option("--validity <limits>", "strict for standard and paper, else relaxed").choices([
        ...validityNames,
      ]),
    )
    .action(async (experiment: string, flags: FleetPlanFlags) => {
      const { planFleet } = await import("./fleet-plan.ts");
      await planFleet(experiment, flags);
    });
}

function addRender(fleet: Command): void {
  addLambdaFlags(fleet.command("render"), { cells: false })
    .description("what makes the parts elsewhere, as text; nothing is touched")
    .requiredOption(...planFlag)
    .addOption(
      new Option("--target <where>", "manifests of an Indexed Job, or every call to Lambda")
        .choices(["k8s-job", "lambda"])
        .makeOptionMandatory(),
    )
    .option("--name <name>", "of the job and all it needs (aft-bench-fleet)")
    .option("--namespace <name>", "(aft)")
    .option("--image <image>", "as built from harness/experiment/fleet/image/Containerfile")
    .option("--cpu <amount>", "of a pod (1)")
    .option("--memory <amount>", "of a pod (1Gi)")
    .option("--credentials-secret <name>", "keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY")
    .option("--aft-secret <name>", "mounted at /etc/aft-client: password, ca.crt")
    .option("--aws-role <arn>", "the role that may put the parts into S3, on EKS")
    .option("--volume-claim <name>", "mounted where dir: objects are")
    .action(async (flags: RenderFlags) => {
      const { renderFleet } = await import("./fleet-launch.ts");
      await renderFleet(flags);
    });
}
