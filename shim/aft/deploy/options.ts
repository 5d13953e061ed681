/** @module What may be chosen about a deployment, checked before anything is rendered. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { type StorageTarget, withoutPassword } from "#shim/storage/target.ts";

export interface DeployOptions {
  /** Of the StatefulSet, and in front of all other names. */
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** Shared by all replicas: Redis (single or cluster), DynamoDB or S3; without a password. */
  readonly storage: string;
  /** A Secret whose key `url` is used instead of `storage`: for URLs with a password. */
  readonly storageSecret?: string;
  readonly replicas: number;
  /** More than `replicas`: a HorizontalPodAutoscaler chooses between the two. */
  readonly maxReplicas: number;
  readonly managers: number;
  /** Open transactions a replica from which on there should be more replicas. */
  readonly openTransactions: number;
  /** Key `users.acl`, and without TLS `peer-password`, of the user `peer`. */
  readonly usersSecret: string;
  /** As cert-manager makes it: `tls.crt`, `tls.key`, `ca.crt`. Absent: unencrypted. */
  readonly tlsSecret?: string;
  /** For DynamoDB and S3 on EKS: the role replicas and managers take. */
  readonly awsRole?: string;
  /** Namespace whose pods may scrape /metrics. */
  readonly monitoringNamespace: string;
}

export const defaultDeployOptions: DeployOptions = {
  name: "aft",
  namespace: "aft",
  image: "aft-bench/aft:0.1.0",
  storage: "redis-cluster://redis-cluster:6379",
  replicas: 3,
  maxReplicas: 3,
  managers: 1,
  openTransactions: 200,
  usersSecret: "aft-users",
  tlsSecret: "aft-tls",
  monitoringNamespace: "monitoring",
};

/** Options that are sound, and what follows from them. */
export interface Deployment extends DeployOptions {
  readonly target: StorageTarget;
}

/** Clients connect here; also on each replica. */
export const clientPort = 6_390;
export const adminPort = 9_390;

const maxReplicas = 100;
const label = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** @throws ConfigError with every problem */
export function checkDeployOptions(options: DeployOptions): Deployment {
  const problems: ConfigProblem[] = [];
  const refuse = (where: string, what: string, hint?: string): void => {
    problems.push({ where, what, ...(hint !== undefined && { hint }) });
  };
  const { name, namespace, usersSecret, tlsSecret, storageSecret, monitoringNamespace } = options;
  const names = { name, namespace, usersSecret, tlsSecret, storageSecret, monitoringNamespace };
  for (const [where, value] of Object.entries(names))
    if (value !== undefined && !label.test(value))
      refuse(flagOf(where), "is no name: small letters, digits and -, at most 40");
  if (!/^[^\s@]+(@sha256:[0-9a-f]{64})?$/.test(options.image))
    refuse("--image", "is no image: REGISTRY/NAME:TAG, or with @sha256:…");
  const counts = [
    ["--replicas", options.replicas, 1, maxReplicas],
    ["--max-replicas", options.maxReplicas, options.replicas, maxReplicas],
    ["--managers", options.managers, 1, 5],
    ["--open-transactions", options.openTransactions, 1, 10_000],
  ] as const;
  for (const [where, value, least, most] of counts)
    if (!Number.isInteger(value) || value < least || value > most)
      refuse(where, `must be a whole number from ${least} to ${most}`);
  if (
    options.awsRole !== undefined &&
    !/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(options.awsRole)
  )
    refuse("--aws-role", "is no role: arn:aws:iam::123456789012:role/NAME");
  const target = checkStorage(options, refuse);
  if (problems.length > 0 || target === undefined) throw new ConfigError(problems);
  return { ...options, target };
}

function checkStorage(
  { storage }: DeployOptions,
  refuse: (where: string, what: string, hint?: string) => void,
): StorageTarget | undefined {
  let target: StorageTarget;
  try {
    target = parseStorageUrl(storage);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { where, what, hint } of error.problems) refuse(where, what, hint);
    return undefined;
  }
  if (withoutPassword(storage) !== storage) {
    const hint = "put the URL into the key url of a Secret and name it: --storage-secret";
    refuse("--storage", "holds a password, which manifests must not", hint);
  }
  const isUnix = storage.startsWith("unix:");
  if (target.engine === "memory" || target.engine === "lmdb" || isUnix)
    refuse(
      "--storage",
      "belongs to one machine, and pods share it only over the network",
      "redis-cluster://HOST:PORT, redis://HOST:PORT, dynamodb:TABLE or s3://BUCKET",
    );
  if (/[/@]((localhost|127\.[\d.]+)\b|\[::1\])/.test(decodeURIComponent(storage)))
    refuse("--storage", "is on loopback, which in a pod is the pod itself");
  return target;
}

function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
