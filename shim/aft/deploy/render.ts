/** @module All manifests of a deployment, as objects and as YAML for `kubectl apply -f -`. */
import { Document } from "yaml";
import { managerDeployment, managerParts } from "./managers.ts";
import { checkDeployOptions, type DeployOptions } from "./options.ts";
import {
  autoscaler,
  disruptionBudget,
  networkPolicies,
  replicaParts,
  services,
  statefulSet,
} from "./replicas.ts";

/** What all manifests have. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

/** What is used comes before what uses it. @throws ConfigError */
export function manifestsOf(options: DeployOptions): readonly Manifest[] {
  const deployment = checkDeployOptions(options);
  const scaler = autoscaler(deployment);
  return [
    ...replicaParts(deployment),
    ...managerParts(deployment),
    ...networkPolicies(deployment),
    ...services(deployment),
    disruptionBudget(deployment),
    statefulSet(deployment),
    ...(scaler === undefined ? [] : [scaler]),
    managerDeployment(deployment),
  ];
}

/** The same bytes for the same options. @throws ConfigError */
export function renderDeployment(options: DeployOptions): string {
  const notes: Readonly<Record<string, string>> = {
    HorizontalPodAutoscaler: scalerNote,
    Role: ' Of the replicas\' pods, by name: what launcher "kubernetes" asks for, and no more.',
  };
  return manifestsOf(options)
    .map((manifest) => {
      const document = new Document(manifest, { aliasDuplicateObjects: false });
      const note = notes[manifest.kind];
      if (note !== undefined) document.commentBefore = note;
      return `---\n${document.toString({ lineWidth: 100 })}`;
    })
    .join("");
}

const scalerNote = ` Needs custom.metrics.k8s.io with aft_open_transactions of each pod: Prometheus, and
 prometheus-adapter with a rule for series aft_open_transactions{namespace!="",pod!=""}.
 Without it the autoscaler keeps minReplicas.`;
