/** @module What the pods of replicas and fault managers have in common. */
import type { IContainer, IEnvVar, IPodSpec, IVolume, IVolumeMount } from "kubernetes-models/v1";
import type { SecurityConfig } from "../server/access/security.ts";
import { adminPort, clientPort, type Deployment } from "./options.ts";

export type Component = "replica" | "manager";

export const paths = {
  config: "/etc/aft/config",
  users: "/etc/aft/users",
  tls: "/etc/aft/tls",
} as const;

/** The user `node` of the image. */
const userId = 1_000;

export function labelsOf({ name }: Deployment, component: Component): Record<string, string> {
  return {
    "app.kubernetes.io/name": "aft",
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/component": component,
  };
}

/** Addresses of the first replicas: the others are found through them. */
export function seedsOf(deployment: Deployment): string[] {
  const count = Math.min(3, deployment.replicas);
  return Array.from({ length: count }, (_, index) =>
    addressOf(deployment, `${deployment.name}-${index}`),
  );
}

export function addressOf({ name, namespace }: Deployment, pod: string): string {
  return `${pod}.${name}-peers.${namespace}.svc.cluster.local:${clientPort}`;
}

/** Users are the replicas' affair; certificates, or the login as `peer`, everybody's. */
export function securityOf(deployment: Deployment, component: Component): SecurityConfig {
  const { tls, users } = paths;
  return {
    ...(component === "replica" && { usersFile: `${users}/users.acl` }),
    ...(deployment.tlsSecret === undefined
      ? { peer: { username: "peer", passwordFile: `${users}/peer-password` } }
      : {
          tls: {
            certFile: `${tls}/tls.crt`,
            keyFile: `${tls}/tls.key`,
            caFile: `${tls}/ca.crt`,
            ...(component === "replica" && { peerCaFile: `${tls}/ca.crt` }),
          },
        }),
  };
}

export function environmentOf({ storageSecret }: Deployment, own: readonly IEnvVar[]): IEnvVar[] {
  return [
    { name: "AFT_STANDALONE", value: "1" },
    { name: "AFT_ADMIN_PORT", value: String(adminPort) },
    // The pod's own address and no other.
    { name: "AFT_LISTEN_HOST", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    ...own,
    ...(storageSecret === undefined
      ? []
      : [
          {
            name: "AFT_STORAGE",
            valueFrom: { secretKeyRef: { name: storageSecret, key: "url" } },
          },
        ]),
  ];
}

/** Runs as nobody in particular, on a file system it cannot write to. */
export function podOf(
  deployment: Deployment,
  options: {
    readonly component: Component;
    readonly serviceAccount: string;
    readonly container: Omit<IContainer, "name" | "image">;
    readonly rest?: Partial<IPodSpec>;
  },
): IPodSpec {
  const { component, serviceAccount, container, rest } = options;
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: component === "manager",
    securityContext: {
      runAsNonRoot: true,
      runAsUser: userId,
      runAsGroup: userId,
      fsGroup: userId,
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labelsOf(deployment, component) },
      },
    ],
    ...rest,
    containers: [
      {
        name: component,
        image: deployment.image,
        ...container,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: mountsOf(deployment, component),
      },
    ],
    volumes: volumesOf(deployment, component),
  };
}

function needsUsers({ tlsSecret }: Deployment, component: Component): boolean {
  return component === "replica" || tlsSecret === undefined;
}

function mountsOf(deployment: Deployment, component: Component): IVolumeMount[] {
  return [
    { name: "config", mountPath: paths.config, readOnly: true },
    ...(needsUsers(deployment, component)
      ? [{ name: "users", mountPath: paths.users, readOnly: true }]
      : []),
    ...(deployment.tlsSecret === undefined
      ? []
      : [{ name: "tls", mountPath: paths.tls, readOnly: true }]),
  ];
}

/** Octal 0440: for the group of the pod, to read. */
const secretMode = 0o440;

function volumesOf(deployment: Deployment, component: Component): IVolume[] {
  const { name, usersSecret, tlsSecret } = deployment;
  return [
    { name: "config", configMap: { name: `${name}-${component}` } },
    ...(needsUsers(deployment, component)
      ? [{ name: "users", secret: { secretName: usersSecret, defaultMode: secretMode } }]
      : []),
    ...(tlsSecret === undefined
      ? []
      : [{ name: "tls", secret: { secretName: tlsSecret, defaultMode: secretMode } }]),
  ];
}
