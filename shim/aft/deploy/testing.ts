/**
 * @module For tests: checks manifests against the published Kubernetes schemas, without a cluster and
 * without network.
 *
 * The schemas (package `kubernetes-models`, made from Kubernetes' own OpenAPI) forbid wrong types and
 * missing fields, not unknown ones, which an API server drops or refuses. So a validator's reads are
 * watched: a field that the schema never looks at is one it does not know.
 */
import { validate as deployment } from "kubernetes-models/_schemas/IoK8sApiAppsV1Deployment";
import { validate as statefulSet } from "kubernetes-models/_schemas/IoK8sApiAppsV1StatefulSet";
import { validate as autoscaler } from "kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler";
import { validate as job } from "kubernetes-models/_schemas/IoK8sApiBatchV1Job";
import { validate as configMap } from "kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap";
import { validate as service } from "kubernetes-models/_schemas/IoK8sApiCoreV1Service";
import { validate as serviceAccount } from "kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount";
import { validate as networkPolicy } from "kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy";
import { validate as disruptionBudget } from "kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget";
import { validate as role } from "kubernetes-models/_schemas/IoK8sApiRbacV1Role";
import { validate as roleBinding } from "kubernetes-models/_schemas/IoK8sApiRbacV1RoleBinding";

interface Validate {
  (data: unknown): boolean;
  readonly errors?:
    | readonly {
        readonly instancePath: string;
        readonly keyword: string;
        readonly params: unknown;
      }[]
    | null;
}

const schemas: Readonly<Record<string, unknown>> = {
  "apps/v1 Deployment": deployment,
  "apps/v1 StatefulSet": statefulSet,
  "autoscaling/v2 HorizontalPodAutoscaler": autoscaler,
  "batch/v1 Job": job,
  "v1 ConfigMap": configMap,
  "v1 Service": service,
  "v1 ServiceAccount": serviceAccount,
  "networking.k8s.io/v1 NetworkPolicy": networkPolicy,
  "policy/v1 PodDisruptionBudget": disruptionBudget,
  "rbac.authorization.k8s.io/v1 Role": role,
  "rbac.authorization.k8s.io/v1 RoleBinding": roleBinding,
};

/** Everything a schema has against a manifest; empty: it is well-formed. */
export function schemaProblems(manifest: unknown): string[] {
  const { apiVersion, kind } = manifest as { apiVersion?: unknown; kind?: unknown };
  const validate = schemas[`${String(apiVersion)} ${String(kind)}`] as Validate | undefined;
  if (validate === undefined) return [`no schema for ${String(apiVersion)} ${String(kind)}`];
  const read = new Set<string>();
  const isValid = validate(watched(manifest, "", read));
  const wrong = isValid
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, keyword, params }) =>
          `${instancePath}: ${keyword} ${JSON.stringify(params)}`,
      );
  return [...wrong, ...unread(manifest, "", read)];
}

/** Notes the path of every field that is looked at. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => {
      const found: unknown = Reflect.get(target, key);
      if (typeof key !== "string" || !Object.hasOwn(target, key)) return found;
      read.add(`${path}/${key}`);
      return watched(found, `${path}/${key}`, read);
    },
  });
}

function unread(value: unknown, path: string, read: ReadonlySet<string>): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = `${path}/${key}`;
    return read.has(at) ? unread(inner, at, read) : [`${at}: unknown field`];
  });
}
