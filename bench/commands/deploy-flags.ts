/** @module `aft-bench deploy render`: manifests for Kubernetes on stdout; nothing is touched. */
import type { Command } from "commander";
import { numberOption } from "../flags.ts";

interface DeployFlags {
  readonly storage: string;
  readonly storageSecret?: string;
  readonly replicas?: number;
  readonly maxReplicas?: number;
  readonly managers?: number;
  readonly openTransactions?: number;
  readonly name?: string;
  readonly namespace?: string;
  readonly image?: string;
  readonly usersSecret?: string;
  /** `false` with --no-tls. */
  readonly tls: boolean;
  readonly tlsSecret?: string;
  readonly awsRole?: string;
  readonly monitoringNamespace?: string;
}

export function addDeploy(program: Command): void {
  program
    .command("deploy")
    .description("a cluster on Kubernetes; see shim/aft/deploy/README.md")
    .command("render")
    .description("manifests as YAML, for kubectl apply -f -")
    .requiredOption(
      "--storage <url>",
      "redis-cluster://HOST:PORT,…, redis://HOST:PORT, dynamodb:TABLE?region=R or s3://BUCKET?region=R",
    )
    .option("--storage-secret <name>", "a Secret whose key url is used instead")
    .addOption(numberOption("--replicas <n>", "replicas, at least (3)"))
    .addOption(numberOption("--max-replicas <n>", "more than --replicas: an autoscaler"))
    .addOption(numberOption("--managers <n>", "fault managers (1)"))
    .addOption(numberOption("--open-transactions <n>", "a replica, from which on to scale (200)"))
    .option("--name <name>", "of everything (aft)")
    .option("--namespace <name>", "(aft)")
    .option("--image <image>", "as built from shim/aft/deploy/image/Containerfile")
    .option("--users-secret <name>", "key users.acl; without TLS also peer-password (aft-users)")
    .option("--tls-secret <name>", "keys tls.crt, tls.key, ca.crt (aft-tls)")
    .option("--no-tls", "unencrypted; peers log in as the user peer")
    .option("--aws-role <arn>", "the role that may use DynamoDB or S3, on EKS")
    .option("--monitoring-namespace <name>", "who may scrape (monitoring)")
    .action(async (flags: DeployFlags) => {
      const { renderDeployment } = await import("#shim/aft/deploy/render.ts");
      const { defaultDeployOptions } = await import("#shim/aft/deploy/options.ts");
      const { tls, ...given } = flags;
      const { tlsSecret, ...defaults } = defaultDeployOptions;
      const replicas = flags.replicas ?? defaults.replicas;
      process.stdout.write(
        renderDeployment({
          ...defaults,
          maxReplicas: replicas,
          ...(tls && tlsSecret !== undefined && { tlsSecret }),
          ...given,
        }),
      );
    });
}
