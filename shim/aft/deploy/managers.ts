/**
 * @module Manifests of the fault managers: a Deployment, because they keep nothing and any number does no
 * harm, and the right to look at and delete the replicas' pods, by name, and nothing else.
 */
import type { IDeployment } from "kubernetes-models/apps/v1";
import type { IRole, IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1";
import type { IConfigMap, IServiceAccount } from "kubernetes-models/v1";
import type { ManagerConfig } from "../server/manager.ts";
import { adminPort, type Deployment } from "./options.ts";
import { environmentOf, labelsOf, paths, podOf, securityOf, seedsOf } from "./pods.ts";
import { checksumOf } from "./replicas.ts";

export function managerConfig(deployment: Deployment): ManagerConfig {
  return {
    storage: { target: deployment.target },
    adminPort,
    security: securityOf(deployment, "manager"),
    // The StatefulSet counts its replicas, not the manager.
    settings: { seeds: seedsOf(deployment), replicas: 0 },
    launcher: "kubernetes",
    kubernetes: { statefulSet: deployment.name, namespace: deployment.namespace },
  };
}

export function managerDeployment(deployment: Deployment): IDeployment {
  const { name, namespace, managers } = deployment;
  const labels = labelsOf(deployment, "manager");
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: `${name}-manager`, namespace, labels },
    spec: {
      replicas: managers,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: {
            "aft/config": checksumOf(managerConfig(deployment)),
            "prometheus.io/scrape": "true",
            "prometheus.io/port": String(adminPort),
          },
        },
        spec: podOf(deployment, {
          component: "manager",
          serviceAccount: `${name}-manager`,
          container: {
            args: ["shim/aft/server/manager-main.ts"],
            env: environmentOf(deployment, [
              { name: "AFT_MANAGER_CONFIG_FILE", value: `${paths.config}/manager.json` },
            ]),
            ports: [{ name: "admin", containerPort: adminPort }],
            // Alive while it reads the commit set, ready after.
            readinessProbe: { httpGet: { path: "/readyz", port: "admin" }, periodSeconds: 5 },
            livenessProbe: {
              httpGet: { path: "/healthz", port: "admin" },
              initialDelaySeconds: 10,
              periodSeconds: 5,
              timeoutSeconds: 2,
              failureThreshold: 3,
            },
            resources: { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "1Gi" } },
          },
        }),
      },
    },
  };
}

export function managerParts(
  deployment: Deployment,
): (IServiceAccount | IRole | IRoleBinding | IConfigMap)[] {
  const { namespace, maxReplicas, awsRole } = deployment;
  const name = `${deployment.name}-manager`;
  const metadata = { name, namespace, labels: labelsOf(deployment, "manager") };
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        ...metadata,
        ...(awsRole !== undefined && { annotations: { "eks.amazonaws.com/role-arn": awsRole } }),
      },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        {
          apiGroups: [""],
          resources: ["pods"],
          verbs: ["get", "delete"],
          resourceNames: Array.from(
            { length: maxReplicas },
            (_, index) => `${deployment.name}-${index}`,
          ),
        },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { "manager.json": `${JSON.stringify(managerConfig(deployment), undefined, 2)}\n` },
    },
  ];
}
