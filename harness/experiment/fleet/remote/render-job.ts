/**
 * @module A fleet as a Kubernetes Indexed Job: one pod a part, the plan in a ConfigMap, secrets by reference.
 *
 * A pod is tried once more at its index if it ends early: before the start that helps, after it the part is
 * late or missing, and says so. What no repeat can cure (exit codes 2 and 3) is not repeated.
 */
import type { IJob } from "kubernetes-models/batch/v1";
import type { IConfigMap, IContainer, IEnvVar, IServiceAccount } from "kubernetes-models/v1";
import { Document } from "yaml";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { isOnLoopback } from "./reach.ts";
import type { FleetPlan } from "./plan.ts";

export interface JobOptions {
  readonly name: string;
  readonly namespace: string;
  /** As built from image/Containerfile. */
  readonly image: string;
  /** Of a pod, as Kubernetes writes them. */
  readonly cpu: string;
  readonly memory: string;
  /** A Secret with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, for the objects. */
  readonly credentialsSecret?: string;
  /** A Secret mounted at `/etc/aft-client`, which a plan's password and CA files name. */
  readonly aftSecret?: string;
  /** For the objects on EKS: the role that pods take. */
  readonly awsRole?: string;
  /** A claim mounted at the directory of `dir:` objects. */
  readonly volumeClaim?: string;
}

export const defaultJobOptions: JobOptions = {
  name: "aft-bench-fleet",
  namespace: "aft",
  image: "aft-bench/generator:0.1.0",
  cpu: "1",
  memory: "1Gi",
};

/** Pulling the image and finding room on a node, before a pod's own time begins. */
const schedulingSeconds = 600;
/** A finished job can be looked at for a day. */
const keepSeconds = 86_400;
/** A ConfigMap has a mebibyte; a plan with a long trace is read from the objects. */
const mostPlanBytes = 900_000;
const userId = 1_000;
const planPath = "/etc/aft-bench/plan.json";
const secretPath = "/etc/aft-client";
const label = /^[a-z]([a-z0-9-]{0,50}[a-z0-9])?$/;

export type FleetManifest = IJob | IConfigMap | IServiceAccount;

/** What is used comes before what uses it. `text`: the plan's. @throws ConfigError */
export function jobManifests(
  plan: FleetPlan,
  text: string,
  options: JobOptions,
): readonly FleetManifest[] {
  const problems = problemsOf(plan, options);
  if (problems.length > 0) throw new ConfigError(problems);
  const { name, namespace, awsRole } = options;
  const metadata = { name, namespace, labels: labelsOf(options) };
  const inConfigMap = Buffer.byteLength(text) <= mostPlanBytes;
  const account: IServiceAccount = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      ...metadata,
      ...(awsRole !== undefined && { annotations: { "eks.amazonaws.com/role-arn": awsRole } }),
    },
    automountServiceAccountToken: false,
  };
  const config: IConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    immutable: true,
    data: { "plan.json": text },
  };
  return [account, ...(inConfigMap ? [config] : []), jobOf(plan, options, inConfigMap)];
}

/** The same bytes for the same plan and options. @throws ConfigError */
export function renderJob(plan: FleetPlan, text: string, options: JobOptions): string {
  return jobManifests(plan, text, options)
    .map((manifest) => {
      const document = new Document(manifest, { aliasDuplicateObjects: false });
      return `---\n${document.toString({ lineWidth: 100 })}`;
    })
    .join("");
}

function labelsOf({ name }: JobOptions): Record<string, string> {
  return {
    "app.kubernetes.io/name": "aft-bench",
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/component": "generator",
  };
}

function jobOf(plan: FleetPlan, options: JobOptions, inConfigMap: boolean): IJob {
  const { name, namespace } = options;
  const { parts, timeLimitSeconds } = plan;
  const labels = labelsOf(options);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels },
    spec: {
      completionMode: "Indexed",
      completions: parts,
      // All at once: a load of which half comes later is another load.
      parallelism: parts,
      backoffLimitPerIndex: 1,
      // A run without one of its parts is none: the others need not go on.
      maxFailedIndexes: 0,
      activeDeadlineSeconds: timeLimitSeconds + schedulingSeconds,
      ttlSecondsAfterFinished: keepSeconds,
      podFailurePolicy: {
        rules: [
          {
            action: "FailIndex",
            onExitCodes: { containerName: "generator", operator: "In", values: [2, 3] },
          },
        ],
      },
      template: {
        // The network policy of a deployed cluster lets pods with this label in.
        metadata: { labels: { ...labels, "aft-client": "true" } },
        spec: {
          restartPolicy: "Never",
          serviceAccountName: name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 5,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: userId,
            runAsGroup: userId,
            fsGroup: userId,
            seccompProfile: { type: "RuntimeDefault" },
          },
          // Generators on one node would share its processors.
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: labels },
            },
          ],
          containers: [containerOf(plan, options, inConfigMap)],
          volumes: volumesOf(options, inConfigMap),
        },
      },
    },
  };
}

function containerOf(plan: FleetPlan, options: JobOptions, inConfigMap: boolean): IContainer {
  const { image, cpu, memory, credentialsSecret } = options;
  const secret = (key: string): IEnvVar => ({
    name: key,
    valueFrom: { secretKeyRef: { name: credentialsSecret ?? "", key } },
  });
  return {
    name: "generator",
    image,
    // The index comes as JOB_COMPLETION_INDEX.
    args: ["fleet", "run-part", "--plan", inConfigMap ? planPath : plan.objects],
    ...(credentialsSecret !== undefined && {
      env: [secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY")],
    }),
    // As much as it may use: a generator that is throttled measures itself.
    resources: { requests: { cpu, memory }, limits: { cpu, memory } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: mountsOf(plan, options, inConfigMap),
  };
}

function mountsOf(
  { objects }: FleetPlan,
  { aftSecret, volumeClaim }: JobOptions,
  inConfigMap: boolean,
): NonNullable<IContainer["volumeMounts"]> {
  return [
    // Where a part keeps its record until it is whole.
    { name: "tmp", mountPath: "/tmp" },
    ...(inConfigMap ? [{ name: "plan", mountPath: "/etc/aft-bench", readOnly: true }] : []),
    ...(aftSecret === undefined
      ? []
      : [{ name: "aft-client", mountPath: secretPath, readOnly: true }]),
    ...(volumeClaim === undefined
      ? []
      : [{ name: "objects", mountPath: objects.slice("dir:".length) }]),
  ];
}

function volumesOf({ name, aftSecret, volumeClaim }: JobOptions, inConfigMap: boolean) {
  return [
    { name: "tmp", emptyDir: {} },
    ...(inConfigMap ? [{ name: "plan", configMap: { name } }] : []),
    ...(aftSecret === undefined
      ? []
      : [{ name: "aft-client", secret: { secretName: aftSecret, defaultMode: 0o440 } }]),
    ...(volumeClaim === undefined
      ? []
      : [{ name: "objects", persistentVolumeClaim: { claimName: volumeClaim } }]),
  ];
}

function problemsOf(plan: FleetPlan, options: JobOptions): ConfigProblem[] {
  const { name, namespace, image, cpu, memory, credentialsSecret, aftSecret, volumeClaim } =
    options;
  const problems: ConfigProblem[] = [];
  const refuse = (where: string, what: string, hint?: string): void => {
    problems.push({ where, what, ...(hint !== undefined && { hint }) });
  };
  const names = {
    "--name": name,
    "--namespace": namespace,
    "--credentials-secret": credentialsSecret,
    "--aft-secret": aftSecret,
    "--volume-claim": volumeClaim,
  };
  for (const [where, value] of Object.entries(names))
    if (value !== undefined && !label.test(value))
      refuse(where, "is no name: small letters, digits and -, at most 52");
  if (!/^[^\s@]+(@sha256:[0-9a-f]{64})?$/.test(image))
    refuse("--image", "is no image: REGISTRY/NAME:TAG, or with @sha256:…");
  if (!/^(\d+m|\d+(\.\d+)?)$/.test(cpu)) refuse("--cpu", "is no amount: 2, or 1500m");
  if (!/^\d+[KMG]i$/.test(memory)) refuse("--memory", "is no amount: 1Gi, or 512Mi");
  if (isOnLoopback(plan))
    refuse("fleet plan", "names addresses on loopback, which in a pod is the pod itself");
  const isDirectory = plan.objects.startsWith("dir:");
  if (isDirectory && volumeClaim === undefined)
    refuse("--volume-claim", "is needed: the plan's objects are in a directory", "or --to s3://…");
  if (!isDirectory && volumeClaim !== undefined)
    refuse("--volume-claim", "has no use: the plan's objects are in S3", "leave it out");
  const { passwordFile, tls } = plan.system.options;
  const named = JSON.stringify([passwordFile, tls]);
  if (aftSecret === undefined && (passwordFile !== undefined || tls !== undefined))
    refuse("--aft-secret", `is needed: the plan names ${named}`, `mounted at ${secretPath}`);
  return problems;
}
