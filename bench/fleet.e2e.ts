/**
 * Goal    Processes that know nothing of each other but a plan make one load, and their parts one run; what is
 *         missing, late or killed is told apart.
 * Method  Real part processes as an Indexed Job starts them, one real replica, a real S3 server (and a shared
 *         directory); the Lambda form on our local platform behind the Lambda API.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { MissingPartError, StartMissedError } from "#harness/experiment/fleet/remote/errors.ts";
import { type MergedRun, mergeRun } from "#harness/experiment/fleet/remote/merge-run.ts";
import { openObjects } from "#harness/experiment/fleet/remote/objects.ts";
import { type FleetPlan, parseFleetPlan } from "#harness/experiment/fleet/remote/plan.ts";
import { type PartOutcome, runPart } from "#harness/experiment/fleet/remote/run-part.ts";
import { describeHere } from "#harness/experiment/manifest.ts";
import { type ClosedLoad, closedLoad } from "#harness/loadgen/load.ts";
import { LatencyHistogram, readHistogramLog } from "#harness/metrics/histogram.ts";
import { generatorDirectory } from "#harness/record/generator-record.ts";
import { readRun } from "#harness/record/run-directory.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { startS3 } from "#harness/services/aws-emulators.ts";
import { startLmdb } from "#harness/services/local-stores.ts";
import type { StorageService } from "#harness/services/port.ts";
import { type ReplicaService, startReplica } from "#harness/services/replica.ts";

const root = join(import.meta.dirname, "..");
const clock = createSystemClock({ precise: true });
const out = mkdtempSync(join(tmpdir(), "aft-bench-fleet-"));
/** Most of a short process is compiling. */
const compileCache = join(root, "node_modules/.cache/aft-bench-compile");
const children: ChildProcess[] = [];
let store: StorageService;
let replica: ReplicaService;
let s3: StorageService;
let template: FleetPlan | undefined;
let plans = 0;

beforeAll(async () => {
  store = await startLmdb();
  replica = await startReplica({ storage: { target: store.target } });
  s3 = await startS3();
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await s3.stop();
  await replica.stop();
  await store.stop();
  rmSync(out, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves when its progress says so, or when it ends. */
  says(what: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

function start(
  args: readonly string[],
  environment: Record<string, string> = {},
  cwd = root,
): Running {
  const child = spawn(process.execPath, ["bench/cli.ts", ...args], {
    cwd,
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [stdout, stderr] = ["", ""];
  const waiting: { readonly what: RegExp; readonly resolve: () => void }[] = [];
  const look = (isOver: boolean): void => {
    for (const { what, resolve } of waiting) if (isOver || what.test(stderr)) resolve();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    look(false);
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      look(true);
      resolve({ code, stdout, stderr });
    });
  });
  const says = (what: RegExp): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ what, resolve });
      look(false);
    });
  return { child, says, ended };
}

const run = (...args: string[]): Promise<Ended> => start(["fleet", ...args]).ended;

/** As an Indexed Job starts a pod. */
const part = (plan: string, index: number, folder = root): Running =>
  start(["fleet", "run-part", "--plan", plan], { JOB_COMPLETION_INDEX: String(index) }, folder);

/** What the container image holds: its COPY lines carried out, and the packages that are no development's. */
function imageFolder(): string {
  const app = join(out, "app");
  const file = readFileSync(join(root, "harness/experiment/fleet/image/Containerfile"), "utf8");
  const lastStage = file.slice(file.lastIndexOf("FROM "));
  for (const [, from = ""] of lastStage.matchAll(/^COPY (?!--from)(\S+) \S+$/gm))
    cpSync(join(root, from), join(app, from), {
      recursive: true,
      filter: (path) => !/\.(test|e2e)\.ts$/.test(path),
    });
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(app, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
  return app;
}

/** A plan's file: the first is made by the command line, others as it is but for what differs. */
async function planned(objects: string, more: Partial<FleetPlan> = {}): Promise<string> {
  if (template === undefined) {
    const cell = "overhead --smoke --only system:aft --only storage:lmdb --seed 5".split(" ");
    const load = "--parts 3 --rate 150 --duration 2 --late-limit-ms 2000".split(" ");
    const place = ["--aft", replica.endpoint, "--to", objects, "--grace-seconds", "1"];
    const { code, stdout, stderr } = await run("plan", ...cell, ...load, ...place);
    expect([code, stderr]).toEqual([0, expect.stringContaining("the plan is in")]);
    template = parseFleetPlan(stdout, "stdout");
  }
  plans += 1;
  const runId = `${template.runId}-${plans}`;
  const plan = plans === 1 ? template : { ...template, objects, runId, ...more };
  const path = join(out, `plan-${plans}.json`);
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

const closed = (clients: number, more: Partial<ClosedLoad>) => {
  const common = { clients, requestsPerClient: 900_000, warmUpRequestsPerClient: 1, blocks: 1 };
  return { load: { ...closedLoad({ ...common, ...more }), generators: 2 }, parts: 2, slices: 2 };
};

function bucketUrl(prefix: string): string {
  const { target } = s3;
  if (target.engine !== "s3") throw new Error("no S3");
  return `s3://${target.bucket}/${prefix}?endpoint=${target.endpoint ?? ""}`;
}

/** The machine may be busy with something else; that is not what is looked at here. */
function ownReasons(reasons: readonly string[]): readonly string[] {
  return reasons.filter((reason) => !reason.startsWith("generator-stalled"));
}

/** Of the command line. */
async function merged(plan: string): Promise<MergedRun["summary"] & { directory: string }> {
  const { code, stdout, stderr } = await run("merge", "--plan", plan, "--out", out, "--json");
  if (stdout === "") throw new Error(`${code}: ${stderr}`);
  const [only] = parseSuite(JSON.parse(stdout)).runs;
  if (only === undefined) throw new Error("nothing was merged");
  expect(code).toBe(only.valid ? 0 : 3);
  return only;
}

/** In this process: a start of the command line takes longer than what is looked at. */
async function mergedHere(path: string): Promise<MergedRun> {
  const plan = parseFleetPlan(readFileSync(path, "utf8"), path);
  const objects = await openObjects(plan.objects, { clock });
  const command = ["fleet", "merge"];
  return mergeRun({ plan, objects, outDirectory: out, allowMissing: false, command });
}

async function partHere(path: string, index: number): Promise<PartOutcome> {
  const plan = parseFleetPlan(readFileSync(path, "utf8"), path);
  const objects = await openObjects(plan.objects, { clock });
  const { signal } = new AbortController();
  const directory = mkdtempSync(join(out, "part-"));
  const options = { plan, index, objects, clock, signal, directory, here: describeHere() };
  return runPart({ ...options, attempt: `here-${index}`, say: () => {} });
}

// Nine processes one after another: on a machine that is busy they take minutes.
describe("three parts that meet in S3", { timeout: 240_000 }, () => {
  it("one killed before the start and begun again, one from the image: one run, the sum of its parts", async () => {
    const place = bucketUrl("killed-early");
    const plan = await planned(place);
    const [first, killed] = [part(plan, 0), part(plan, 1)];
    await killed.says(/is ready/).then(() => killed.child.kill("SIGKILL"));
    const refused = await run("merge", "--plan", plan, "--out", out);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^missing_part: part 1 of 3 is missing; part 2 of 3/);
    const second = part(plan, 1);
    await second.says(/is ready/);
    const ends = await Promise.all([first.ended, second.ended, part(plan, 2, imageFolder()).ended]);
    expect(ends.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0, 0]);
    // Another process for a part that is there has nothing to do: the plan is read where the parts meet.
    const again = await run("run-part", "--plan", place, "--index", "1");
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringMatching(/part 2 of 3 was already/),
    ]);

    const summary = await merged(plan);
    const raw = await readRun(summary.directory);
    expect(ownReasons(summary.invalidReasons)).toEqual([]);
    expect(summary.notes?.[0]).toMatch(/^fleet: load from 3 of 3 parts on 1 machine, /);
    expect(summary.labels).toEqual(["measured", "open-loop"]);
    const finals = raw.attempts.filter(({ final }) => final).map(({ client }) => client);
    // Every due time of the one schedule, once.
    expect(finals.toSorted((a, b) => a - b)).toEqual(finals.map((_client, at) => at));
    expect(finals.length).toBeGreaterThan(200);

    const logOf = (path: string): LatencyHistogram => {
      const text = readFileSync(join(summary.directory, path, "latency.hlog"), "utf8");
      return readHistogramLog(text).get("response-time-us") ?? new LatencyHistogram();
    };
    const sum = new LatencyHistogram();
    for (const index of [0, 1, 2]) {
      const own = logOf(generatorDirectory(index));
      expect(own.count).toBeGreaterThan(50);
      sum.merge(own);
    }
    expect(sum.summary()).toEqual(logOf("").summary());
    expect(summary.responseTimeUs).toEqual(sum.summary());
    expect(summary.verdicts["ra"]).not.toBe("violation");

    // Causal consistency is no promise of the system's.
    const checked = await start(["check", summary.directory, "--level", "rc,ra"]).ended;
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringMatching(/ra +pass/)]);
  });
});

describe("parts that meet in a directory", () => {
  it("one killed during the load: merging refuses; begun again it is late, and the run invalid", async () => {
    const place = `dir:${join(out, "meeting")}`;
    const plan = await planned(place, { ...closed(4, { seconds: 4 }), lateLimitMs: 250 });
    const [first, killed] = [part(plan, 0), part(plan, 1)];
    await killed.says(/begins/).then(() => killed.child.kill("SIGKILL"));
    await expect(mergedHere(plan)).rejects.toThrow(MissingPartError);
    await sleep(500);
    const [again, ended] = await Promise.all([partHere(plan, 1), first.ended]);
    expect([again.kind, ended.code]).toEqual(["uploaded", 0]);
    const { summary, directory } = await mergedHere(plan);
    expect(summary.valid).toBe(false);
    const late = ownReasons(summary.invalidReasons);
    expect(late).toEqual([expect.stringMatching(/^part-late: part 2 of 2 began \d+ ms after/)]);
    const clients = (await readRun(directory)).attempts.map(({ client }) => client);
    expect(new Set(clients)).toEqual(new Set([0, 1, 2, 3]));

    // The load is over by now: a third process would only disturb whatever follows.
    rmSync(join(out, "meeting", "parts", "2"), { recursive: true });
    await expect(partHere(plan, 1)).rejects.toThrow(StartMissedError);
  });

  it("SIGTERM before the start ends a part, and it leaves nothing", async () => {
    const folder = join(out, "stopped");
    const plan = await planned(`dir:${folder}`, closed(4, { requestsPerClient: 5 }));
    const alone = part(plan, 0);
    await alone.says(/is ready/);
    alone.child.kill("SIGTERM");
    expect((await alone.ended).code).toBe(130);
    expect(readdirSync(folder)).not.toContain("parts");
  });
});

describe("parts as Lambda functions", () => {
  it("are deployed, invoked once each, taken away, and merge into a run", async () => {
    const plan = await planned(bucketUrl("lambda"), closed(4, { requestsPerClient: 20 }));
    const launched = await run(
      ...`launch --lambda-endpoint local --json --plan ${plan}`.split(" "),
    );
    expect([launched.code, launched.stderr]).toEqual([0, expect.stringContaining("part 2 of 2")]);
    const { summary, directory } = await mergedHere(plan);
    expect(ownReasons(summary.invalidReasons)).toEqual([]);
    const { attempts } = await readRun(directory);
    expect(attempts.filter(({ final }) => final)).toHaveLength(80);
  });
});
