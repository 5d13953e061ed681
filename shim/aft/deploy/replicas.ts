/**
 * @module Manifests of the replicas: a StatefulSet, because a replica is known by its address and the
 * fault manager deletes a pod by its name; nothing is stored in a pod.
 */
import { createHash } from "node:crypto";
import type { IStatefulSet } from "kubernetes-models/apps/v1";
import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IConfigMap, IContainer, IService, IServiceAccount } from "kubernetes-models/v1";
import type { ReplicaConfig } from "../server/serve.ts";
import { adminPort, clientPort, type Deployment } from "./options.ts";
import { addressOf, environmentOf, labelsOf, paths, podOf, securityOf, seedsOf } from "./pods.ts";

/** A leaving replica finishes its transactions for so long … */
const drainMs = 15_000;
/** … after services have had time to forget it … */
const forgottenAfterSeconds = 3;
/** … and is killed only after that, with some slack. */
const gracePeriodSeconds = 30;

export function replicaConfig(deployment: Deployment): Omit<ReplicaConfig, "listen"> & {
  readonly listen: { readonly port: number };
} {
  return {
    storage: { target: deployment.target },
    // The host is the pod's address (AFT_LISTEN_HOST).
    listen: { port: clientPort },
    adminPort,
    security: securityOf(deployment, "replica"),
    cluster: { seeds: seedsOf(deployment), drainMs },
  };
}

/** For annotations: another configuration is another pod. */
export function checksumOf(config: object): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 16);
}

export function statefulSet(deployment: Deployment): IStatefulSet {
  const { name, namespace, replicas, maxReplicas } = deployment;
  const labels = labelsOf(deployment, "replica");
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace, labels },
    spec: {
      serviceName: `${name}-peers`,
      // Otherwise every "apply" would take back what the autoscaler decided.
      ...(maxReplicas === replicas && { replicas }),
      // All at once; updates still go one by one, from the last.
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      minReadySeconds: 5,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: {
            "aft/config": checksumOf(replicaConfig(deployment)),
            "prometheus.io/scrape": "true",
            "prometheus.io/port": String(adminPort),
          },
        },
        spec: podOf(deployment, {
          component: "replica",
          serviceAccount: name,
          container: container(deployment),
          rest: { terminationGracePeriodSeconds: gracePeriodSeconds },
        }),
      },
    },
  };
}

function container(deployment: Deployment): Omit<IContainer, "name" | "image"> {
  return {
    env: environmentOf(deployment, [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "AFT_ADVERTISE", value: addressOf(deployment, "$(POD_NAME)") },
      { name: "AFT_REPLICA_CONFIG_FILE", value: `${paths.config}/replica.json` },
    ]),
    ports: [
      { name: "resp", containerPort: clientPort },
      { name: "admin", containerPort: adminPort },
    ],
    // Serves when it has read the commit set: five minutes for a large one.
    startupProbe: {
      httpGet: { path: "/readyz", port: "admin" },
      periodSeconds: 2,
      failureThreshold: 150,
    },
    readinessProbe: {
      httpGet: { path: "/readyz", port: "admin" },
      periodSeconds: 2,
      failureThreshold: 1,
    },
    livenessProbe: {
      httpGet: { path: "/healthz", port: "admin" },
      periodSeconds: 5,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    // SIGTERM then makes it refuse new transactions, finish the open ones and leave.
    lifecycle: { preStop: { exec: { command: ["sleep", String(forgottenAfterSeconds)] } } },
    resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "2Gi" } },
  };
}

/** `NAME-peers`: every replica by name, also before it serves. `NAME`: any that serves, for clients. */
export function services(deployment: Deployment): IService[] {
  const { name, namespace } = deployment;
  const labels = labelsOf(deployment, "replica");
  const ports = [{ name: "resp", port: clientPort, targetPort: "resp" }];
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `${name}-peers`, namespace, labels },
      spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: labels, ports },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, labels },
      spec: { type: "ClusterIP", selector: labels, ports },
    },
  ];
}

export function replicaParts(deployment: Deployment): (IConfigMap | IServiceAccount)[] {
  const { name, namespace, awsRole } = deployment;
  const labels = labelsOf(deployment, "replica");
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        name,
        namespace,
        labels,
        ...(awsRole !== undefined && { annotations: { "eks.amazonaws.com/role-arn": awsRole } }),
      },
      automountServiceAccountToken: false,
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `${name}-replica`, namespace, labels },
      data: { "replica.json": `${JSON.stringify(replicaConfig(deployment), undefined, 2)}\n` },
    },
  ];
}

/** One replica away at a time: what it had open starts again elsewhere. */
export function disruptionBudget(deployment: Deployment): IPodDisruptionBudget {
  const { name, namespace } = deployment;
  const labels = labelsOf(deployment, "replica");
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name, namespace, labels },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  };
}

/** Needs the API custom.metrics.k8s.io, which Kubernetes itself does not serve. */
export function autoscaler(deployment: Deployment): IHorizontalPodAutoscaler | undefined {
  const { name, namespace, replicas, maxReplicas, openTransactions } = deployment;
  if (maxReplicas === replicas) return undefined;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name, namespace, labels: labelsOf(deployment, "replica") },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name },
      minReplicas: replicas,
      maxReplicas,
      metrics: [
        {
          type: "Pods",
          pods: {
            metric: { name: "aft_open_transactions" },
            target: { type: "AverageValue", averageValue: String(openTransactions) },
          },
        },
      ],
      behavior: {
        // Each step drains a replica: not for every lull.
        scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
        },
      },
    },
  };
}

/** Who may connect: peers, managers, and pods that carry the label `NAME-client: "true"`. */
export function networkPolicies(deployment: Deployment): INetworkPolicy[] {
  const { name, namespace, monitoringNamespace } = deployment;
  const monitoring = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": monitoringNamespace } },
  };
  const scraped = { from: [monitoring], ports: [{ port: "admin", protocol: "TCP" as const }] };
  const policy = (
    component: "replica" | "manager",
    ingress: NonNullable<NonNullable<INetworkPolicy["spec"]>["ingress"]>,
  ): INetworkPolicy => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `${name}-${component}`, namespace, labels: labelsOf(deployment, component) },
    spec: {
      podSelector: { matchLabels: labelsOf(deployment, component) },
      policyTypes: ["Ingress"],
      ingress,
    },
  });
  return [
    policy("replica", [
      {
        from: [
          { podSelector: { matchLabels: labelsOf(deployment, "replica") } },
          { podSelector: { matchLabels: labelsOf(deployment, "manager") } },
          { namespaceSelector: {}, podSelector: { matchLabels: { [`${name}-client`]: "true" } } },
        ],
        ports: [{ port: "resp", protocol: "TCP" }],
      },
      scraped,
    ]),
    policy("manager", [scraped]),
  ];
}
