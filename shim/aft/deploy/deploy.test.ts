/**
 * Goal    What is rendered is what Kubernetes understands, what our processes accept, and whole.
 * Method  1. Kubernetes' own schemas, with mutants that must fail. 2. The configurations inside are read
 *         by the code of the processes. 3. Names that refer to each other are followed. 4. What is
 *         committed is what would be rendered now, and the image has what the sources import.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { ConfigError } from "#kit/errors.ts";
import type { IDeployment, IStatefulSet } from "kubernetes-models/apps/v1";
import type { IConfigMap, IContainer, IPodTemplateSpec, IService } from "kubernetes-models/v1";
import { readManagerConfig, readReplicaConfig } from "../server/config.ts";
import { committedExample, examples, imageDependencies, imagePackage } from "./derived.ts";
import { defaultDeployOptions, type DeployOptions } from "./options.ts";
import { type Manifest, manifestsOf, renderDeployment } from "./render.ts";
import { schemaProblems } from "./testing.ts";

const root = join(import.meta.dirname, "../../..");
const { tlsSecret: _tls, ...plainText } = defaultDeployOptions;
const all: readonly (readonly [string, DeployOptions])[] = [
  ...Object.entries(examples),
  ["without TLS", plainText],
  ["another name", { ...defaultDeployOptions, name: "state", namespace: "apps", managers: 2 }],
];

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata?.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

function dataOf(manifest: Manifest): IConfigMap["data"] {
  return (manifest as IConfigMap).data;
}

/** A copy with one place changed; `undefined` takes it away. */
function mutant(manifest: Manifest, path: string, value: unknown): unknown {
  const copy = structuredClone(manifest) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  let at = copy;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const last = keys.at(-1) ?? "";
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

describe.each(all)("the deployment %s", (_name, options) => {
  const manifests = manifestsOf(options);
  const { name, namespace } = options;

  it("keeps the schemas of Kubernetes", () => {
    expect(manifests.flatMap(schemaProblems)).toEqual([]);
    expect(manifests.every(({ metadata }) => metadata?.namespace === namespace)).toBe(true);
  });

  it("is the same as YAML", () => {
    const documents = parseAllDocuments(renderDeployment(options));
    expect(documents.map((document) => document.toJS() as unknown)).toEqual(manifests);
  });

  it("configures processes as they want it", () => {
    const { spec } = find(manifests, "StatefulSet", name) as IStatefulSet;
    const config = dataOf(find(manifests, "ConfigMap", `${name}-replica`));
    const environment = {
      ...literals(spec?.template),
      AFT_LISTEN_HOST: "10.1.2.3",
      AFT_REPLICA_CONFIG: config?.["replica.json"],
      AFT_REPLICA_CONFIG_FILE: undefined,
      ...(options.storageSecret !== undefined && { AFT_STORAGE: "redis://u:p@redis:6379" }),
    };
    const replica = readReplicaConfig(environment).config;
    expect(replica).toMatchObject({ listen: { host: "10.1.2.3" }, adminHost: "10.1.2.3" });
    const drainMs = replica.cluster?.drainMs ?? 0;
    const graceMs = (spec?.template.spec?.terminationGracePeriodSeconds ?? 0) * 1_000;
    expect(graceMs).toBeGreaterThan(drainMs + 3_000);
    expect(replica.cluster?.advertise).toBe(
      `$(POD_NAME).${name}-peers.${namespace}.svc.cluster.local:6390`,
    );

    const manager = dataOf(find(manifests, "ConfigMap", `${name}-manager`));
    const read = readManagerConfig({ AFT_MANAGER_CONFIG: manager?.["manager.json"] }).config;
    expect(read.kubernetes?.statefulSet).toBe(name);
    expect(read.settings.seeds).toEqual(replica.cluster?.seeds);
  });

  it("refers only to what is there", () => {
    const set = find(manifests, "StatefulSet", name) as IStatefulSet;
    const manager = find(manifests, "Deployment", `${name}-manager`) as IDeployment;
    find(manifests, "Service", set.spec?.serviceName ?? "");
    const scaler = manifests.find(({ kind }) => kind === "HorizontalPodAutoscaler");
    expect(set.spec?.replicas === undefined).toBe(scaler !== undefined);
    for (const { spec } of [set, manager]) {
      expect(spec?.template.metadata?.labels).toMatchObject(spec?.selector.matchLabels ?? {});
      const pod = spec?.template.spec;
      find(manifests, "ServiceAccount", pod?.serviceAccountName ?? "");
      const volumes = pod?.volumes?.map((volume) => volume.name);
      const container = containerOf(spec?.template);
      expect(container.volumeMounts?.map((mount) => mount.name)).toEqual(volumes);
      for (const { configMap } of pod?.volumes ?? [])
        if (configMap !== undefined) find(manifests, "ConfigMap", configMap.name ?? "");
    }
    for (const service of [name, `${name}-peers`]) {
      const { spec } = find(manifests, "Service", service) as IService;
      expect(set.spec?.template.metadata?.labels).toMatchObject(spec?.selector ?? {});
      const ports = containerOf(set.spec?.template).ports?.map((port) => port.name);
      expect(spec?.ports?.every(({ targetPort }) => ports?.includes(String(targetPort)))).toBe(
        true,
      );
    }
  });

  it("runs as nobody in particular and holds no secret", () => {
    for (const kind of ["StatefulSet", "Deployment"]) {
      const one = manifests.find((manifest) => manifest.kind === kind) as IStatefulSet;
      const pod = one.spec?.template.spec;
      expect(pod?.securityContext?.runAsNonRoot).toBe(true);
      expect(containerOf(one.spec?.template).securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      });
    }
    expect(manifests.some(({ kind }) => kind === "Secret")).toBe(false);
  });
});

function containerOf(template: IPodTemplateSpec | undefined): IContainer {
  const [container] = template?.spec?.containers ?? [];
  if (container === undefined) throw new Error("no container");
  return container;
}

/** The environment without what only a pod knows. */
function literals(template: IPodTemplateSpec | undefined): Record<string, string> {
  return Object.fromEntries(
    (containerOf(template).env ?? []).flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

describe("the check of manifests", () => {
  const manifests = manifestsOf(examples["redis-cluster"] ?? defaultDeployOptions);
  const set = find(manifests, "StatefulSet", "aft");
  const scaler = find(manifests, "HorizontalPodAutoscaler", "aft");
  const container = "spec.template.spec.containers.0";

  it.each([
    ["an unknown field at the top", set, "replicas", 3],
    ["an unknown field", set, "spec.replcas", 3],
    ["an unknown field of a probe", set, `${container}.livenessProbe.periodSecond`, 5],
    ["an unknown field in a list", set, `${container}.env.0.valueForm`, {}],
    ["a number as text", set, `${container}.readinessProbe.periodSeconds`, "2"],
    ["text for a list", set, `${container}.args`, "main.ts"],
    ["a value that is none of the allowed", set, "spec.podManagementPolicy", "Together"],
    ["labels that are no text", set, "metadata.labels", { a: 1 }],
    ["a selector that is missing", set, "spec.selector", undefined],
    ["a target that is missing", scaler, "spec.scaleTargetRef", undefined],
    ["a fraction of a replica", scaler, "spec.maxReplicas", 2.5],
    ["a version that does not exist", scaler, "apiVersion", "autoscaling/v3"],
  ])("finds %s", (_what, manifest, path, value) => {
    expect(schemaProblems(manifest)).toEqual([]);
    expect(schemaProblems(mutant(manifest, path, value))).not.toEqual([]);
  });
});

describe("options", () => {
  it.each([
    ["--storage", { storage: "memory:" }],
    ["--storage", { storage: "lmdb:./data" }],
    ["--storage", { storage: "unix:/run/redis.sock" }],
    ["--storage", { storage: "tape:1" }],
    ["--storage", { storage: "redis://127.0.0.1:6379" }],
    ["--storage", { storage: "dynamodb:t?endpoint=http://localhost:8000" }],
    ["--storage", { storage: "redis://user:hidden-word@redis:6379" }],
    ["--replicas", { replicas: 0 }],
    ["--max-replicas", { maxReplicas: 2 }],
    ["--managers", { managers: 1.5 }],
    ["--open-transactions", { openTransactions: 0 }],
    ["--name", { name: "Aft" }],
    ["--namespace", { namespace: "a_b" }],
    ["--image", { image: "a image" }],
    ["--aws-role", { awsRole: "admin" }],
    ["--tls-secret", { tlsSecret: "-" }],
  ])("are refused at %s", (where, change) => {
    try {
      manifestsOf({ ...defaultDeployOptions, ...change });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems.map((problem) => problem.where)).toEqual([where]);
      expect(String(error)).not.toContain("hidden-word");
    }
  });
});

describe("what is committed (npm run deploy:update)", () => {
  const own = json(join(root, "package.json")) as {
    readonly version: string;
    readonly dependencies: Record<string, string>;
  };

  it("is what would be rendered now", () => {
    const text = readFileSync(
      join(import.meta.dirname, "rendered", `${committedExample}.yaml`),
      "utf8",
    );
    expect(text).toBe(renderDeployment(examples[committedExample] ?? defaultDeployOptions));
  });

  it("installs in the image what the repository has, version by version", () => {
    const image = join(import.meta.dirname, "image");
    expect(json(join(image, "package.json"))).toEqual(imagePackage(own));
    const locked = lockedVersions(join(image, "package-lock.json"));
    const ours = lockedVersions(join(root, "package-lock.json"));
    expect(locked.size).toBeGreaterThan(20);
    for (const [name, version] of locked) expect([name, ours.get(name)]).toEqual([name, version]);
  });

  it("installs in the image exactly what the sources in it import", () => {
    const containerfile = readFileSync(join(import.meta.dirname, "image/Containerfile"), "utf8");
    const folders = [...containerfile.matchAll(/^COPY (shim\/[a-z/]+) \.\/\1$/gm)].map(
      ([, folder = ""]) => folder,
    );
    expect(folders).toHaveLength(6);
    const imported = new Set(folders.flatMap(packagesIn));
    expect([...imported].toSorted()).toEqual(imageDependencies.toSorted());
  });
});

function json(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

function lockedVersions(file: string): Map<string, string> {
  const { packages } = json(file) as { packages: Record<string, { version: string }> };
  return new Map(
    Object.entries(packages)
      .filter(([path]) => path !== "")
      .map(([path, { version }]) => [path, version]),
  );
}

/** Packages that are imported at run time in a folder, tests left out. */
function packagesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/\.(test|e2e|contract)\.ts$|testing/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(root, folder, file), "utf8");
      return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s"([^".#][^"]*)";/gm)];
    })
    .map(([, name = ""]) => name)
    .filter((name) => !name.startsWith("node:"))
    .map((name) =>
      name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/"),
    );
}
