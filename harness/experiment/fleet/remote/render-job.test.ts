/**
 * Goal    The job is what Kubernetes understands, gives each part its index and its plan, and holds no secret.
 * Method  Kubernetes' own schemas, with mutants that must fail; references followed; the plan read back.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { IJob } from "kubernetes-models/batch/v1";
import type { IConfigMap } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";
import { ConfigError } from "#kit/errors.ts";
import { schemaProblems } from "#shim/aft/deploy/testing.ts";
import { hashOfPlan, parseFleetPlan } from "./plan.ts";
import { defaultJobOptions, jobManifests, type JobOptions, renderJob } from "./render-job.ts";
import { fleetPlan } from "./testing.ts";

const plan = fleetPlan();
const text = JSON.stringify(plan);
const secured = fleetPlan({
  system: {
    system: "aft",
    options: { endpoint: "aft:6390", passwordFile: "/etc/aft-client/password" },
  },
});
const examples: readonly (readonly [string, typeof plan, JobOptions])[] = [
  ["plain", plan, defaultJobOptions],
  [
    "with secrets and a role",
    secured,
    {
      ...defaultJobOptions,
      credentialsSecret: "s3-keys",
      aftSecret: "aft-client",
      awsRole: "arn:aws:iam::123456789012:role/fleet",
    },
  ],
  [
    "on a shared volume",
    fleetPlan({ objects: "dir:/fleet" }),
    { ...defaultJobOptions, volumeClaim: "shared" },
  ],
];

function jobIn(manifests: readonly unknown[]): IJob {
  return manifests.find((one) => (one as IJob).kind === "Job") as IJob;
}

describe.each(examples)("the job of a fleet, %s", (_name, of, options) => {
  const manifests = jobManifests(of, JSON.stringify(of), options);

  it("keeps the schemas of Kubernetes", () => {
    expect(manifests.flatMap(schemaProblems)).toEqual([]);
  });

  it("is the same as YAML", () => {
    const documents = parseAllDocuments(renderJob(of, JSON.stringify(of), options));
    expect(documents.map((document) => document.toJS() as unknown)).toEqual(manifests);
  });

  it("has one pod a part at once, each with its index, and repeats only what may help", () => {
    const { spec } = jobIn(manifests);
    expect(spec).toMatchObject({
      completionMode: "Indexed",
      completions: 3,
      parallelism: 3,
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 0,
      template: { spec: { restartPolicy: "Never" } },
    });
    expect(spec?.podFailurePolicy?.rules[0]?.onExitCodes).toMatchObject({ values: [2, 3] });
    expect(spec?.activeDeadlineSeconds).toBeGreaterThan(of.timeLimitSeconds);
  });

  it("gives the plan to each pod, unchanged", () => {
    const config = manifests.find(({ kind }) => kind === "ConfigMap") as IConfigMap;
    const read = parseFleetPlan(config.data?.["plan.json"] ?? "", "plan.json");
    expect(hashOfPlan(read)).toBe(hashOfPlan(of));
    const pod = jobIn(manifests).spec?.template.spec;
    const [container] = pod?.containers ?? [];
    expect(container?.args).toEqual(["fleet", "run-part", "--plan", "/etc/aft-bench/plan.json"]);
    const mounts = container?.volumeMounts?.map(({ name }) => name);
    expect(mounts).toEqual(pod?.volumes?.map(({ name }) => name));
    expect(pod?.serviceAccountName).toBe(manifests[0]?.metadata?.name);
  });

  it("runs as nobody in particular, cannot write but to its own folder, and holds no secret", () => {
    const pod = jobIn(manifests).spec?.template.spec;
    expect(pod?.securityContext?.runAsNonRoot).toBe(true);
    expect(pod?.automountServiceAccountToken).toBe(false);
    const [container] = pod?.containers ?? [];
    expect(container?.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    for (const variable of container?.env ?? []) expect(variable.value).toBeUndefined();
    expect(container?.resources?.limits).toEqual(container?.resources?.requests);
  });
});

describe("the schemas", () => {
  it.each([
    [
      "a number of parts in words",
      (job: IJob) => ({ ...job, spec: { ...job.spec, completions: "three" } }),
    ],
    ["a field that is none", (job: IJob) => ({ ...job, spec: { ...job.spec, completion: 3 } })],
    ["no template", (job: IJob) => ({ ...job, spec: { completions: 3 } })],
  ])("find %s", (_what, change) => {
    const job = jobIn(jobManifests(plan, text, defaultJobOptions));
    expect(schemaProblems(change(job))).not.toEqual([]);
  });
});

describe("what is refused", () => {
  const refusal = (of: typeof plan, options: Partial<JobOptions>): string[] => {
    try {
      jobManifests(of, JSON.stringify(of), { ...defaultJobOptions, ...options });
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(({ where }) => where);
      throw error;
    }
    return [];
  };

  it("is named with its flag, all at once", () => {
    const bad = { name: "A b", image: "", cpu: "much", memory: "1", volumeClaim: "v" };
    const flags = ["--name", "--image", "--cpu", "--memory", "--volume-claim"];
    expect(refusal(plan, bad)).toEqual(flags);
    const local = fleetPlan({ system: { system: "aft", options: { endpoint: "127.0.0.1:6390" } } });
    expect(refusal(local, {})).toEqual(["fleet plan"]);
    expect(refusal(fleetPlan({ objects: "dir:/x" }), {})).toEqual(["--volume-claim"]);
    expect(refusal(secured, {})).toEqual(["--aft-secret"]);
  });

  it("not a plan that is too long for a ConfigMap: pods read it where they meet", () => {
    const long = `${text}${" ".repeat(900_000)}`;
    const manifests = jobManifests(plan, long, defaultJobOptions);
    expect(manifests.map(({ kind }) => kind)).toEqual(["ServiceAccount", "Job"]);
    const [container] = jobIn(manifests).spec?.template.spec?.containers ?? [];
    expect(container?.args?.at(-1)).toBe(plan.objects);
    expect(manifests.flatMap(schemaProblems)).toEqual([]);
  });
});

it("has an image with all that the command line needs", () => {
  const root = join(import.meta.dirname, "../../../..");
  const file = readFileSync(join(import.meta.dirname, "../image/Containerfile"), "utf8");
  const copied = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = ""]) =>
    from.split(" "),
  );
  for (const path of copied) expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  for (const folder of ["bench", "harness", "shim", "workloads", "results/paper"])
    expect(copied).toContain(folder);
});
