/**
 * Goal    Several generator processes make the load that one would make, and one record of it.
 * Method  Real processes: the same seed with one and with three; histograms merged from what each wrote
 *         itself; a process killed in the middle; Ctrl-C.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { LatencyHistogram, readHistogramLog } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import { generatorDirectory } from "#harness/record/generator-record.ts";
import { readRun } from "#harness/record/run-directory.ts";
import type { SuiteResult } from "#harness/record/run.ts";

/** Minutes in all: `npm run nightly:long`. */
const isLong = process.env["AFT_BENCH_LONG"] === "1";
const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-generators-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves at the first progress of a measured block. */
  readonly measuring: Promise<void>;
  readonly ended: Promise<Ended>;
}

function start(args: string): Running {
  const words = ["bench/cli.ts", ...args.split(" "), "--json", "--out", out];
  const child = spawn(process.execPath, words, { cwd: root });
  let [stdout, stderr] = ["", ""];
  let onMeasuring: () => void = () => {};
  const measuring = new Promise<void>((resolve) => {
    onMeasuring = resolve;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (/\d+\/\d+ requests/.test(stderr)) onMeasuring();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      onMeasuring();
      resolve({ code, stdout, stderr });
    });
  });
  return { child, measuring, ended };
}

/** Generator processes below `parent`. */
function membersOf(parent: number | undefined): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return Number(fields[1]) === parent && command.includes("fleet/member.ts");
      } catch {
        return false;
      }
    });
}

async function runOf({ stdout, stderr }: Ended): Promise<{
  directory: string;
  run: SuiteResult["runs"][number];
  raw: Awaited<ReturnType<typeof readRun>>;
}> {
  if (stdout === "") throw new Error(stderr);
  const [run] = (JSON.parse(stdout) as SuiteResult).runs;
  if (run === undefined) throw new Error("nothing ran");
  return { directory: run.directory, run, raw: await readRun(run.directory) };
}

/** Who was due when, from the block's first due time on. */
function offered(attempts: readonly AttemptRecord[]): string[] {
  const lines = new Set<string>();
  for (const block of new Set(attempts.map((attempt) => attempt.block))) {
    const own = attempts.filter((attempt) => attempt.block === block);
    const first = Math.min(...own.map(({ dueUs }) => dueUs));
    for (const { client, requestId, dueUs } of own)
      lines.add(`${block} ${client} ${requestId} ${dueUs - first}`);
  }
  return [...lines].toSorted();
}

const open = "run overhead --smoke --only storage:memory --only emulation:none --only system:aft";

describe.skipIf(!isLong)("three processes under an open loop", () => {
  it("offer what one would offer, each with its own record, merged into one", async () => {
    const load = "--rate 200 --duration 2 --seed 5";
    const alone = await runOf(await start(`${open} ${load}`).ended);
    const shared = await runOf(await start(`${open} ${load} --generators 3`).ended);
    expect(offered(shared.raw.attempts)).toEqual(offered(alone.raw.attempts));
    expect(shared.raw.manifest.resolved.load["generators"]).toBe(3);

    const histograms = [0, 1, 2].map((index) => {
      const path = join(shared.directory, generatorDirectory(index), "latency.hlog");
      const own = readHistogramLog(readFileSync(path, "utf8")).get("response-time-us");
      expect(own?.count).toBeGreaterThan(80);
      return own ?? new LatencyHistogram();
    });
    const merged = new LatencyHistogram();
    for (const histogram of histograms) merged.merge(histogram);
    const union = readHistogramLog(
      readFileSync(join(shared.directory, "latency.hlog"), "utf8"),
    ).get("response-time-us");
    expect(merged.summary()).toEqual(union?.summary());

    const { measurements } = shared.raw;
    expect(measurements.generators).toHaveLength(3);
    const dispatched = measurements.generators?.map(({ load: own }) => own?.offered ?? 0) ?? [];
    expect(dispatched.reduce((sum, count) => sum + count)).toBe(measurements.load?.offered);
    expect(measurements.load?.dispatchLatenessUs.count).toBe(measurements.load?.offered);
    expect(measurements.platform.invocations).toBeGreaterThan(300);
  });
});

describe.skipIf(!isLong)("two processes under a closed loop, over the local platform", () => {
  it("send every client's requests once", async () => {
    const cell = "run overhead --smoke --only storage:lmdb --only system:direct";
    const shared = await runOf(
      await start(`${cell} --clients 4 --requests 10 --generators 2`).ended,
    );
    const finals = shared.raw.attempts.filter(({ final }) => final);
    expect(new Set(finals.map(({ client, index }) => `${client} ${index}`)).size).toBe(40);
    expect(finals).toHaveLength(40);
    expect(shared.run.transactions.committed).toBe(40);
  });
});

describe.skipIf(!isLong)("a generator process that ends early", () => {
  it("makes the run invalid, and says so; what the others recorded is kept", async () => {
    const { child, measuring, ended } = start(`${open} --rate 100 --duration 5 --generators 2`);
    await measuring;
    const members = membersOf(child.pid);
    expect(members).toHaveLength(2);
    process.kill(members[1] ?? 0, "SIGKILL");
    const result = await ended;
    expect(result.code).toBe(3);
    const { run, raw } = await runOf(result);
    expect(run.valid).toBe(false);
    expect(run.invalidReasons[0]).toMatch(/^generator-died: load process \d of 2 .*SIGKILL/);
    expect(raw.attempts.length).toBeGreaterThan(0);
  });

  it("Ctrl-C stops all of them, and leaves a partial record", async () => {
    const { child, measuring, ended } = start(`${open} --rate 100 --duration 20 --generators 2`);
    await measuring;
    const pids = membersOf(child.pid);
    expect(pids).toHaveLength(2);
    await sleep(500);
    child.kill("SIGINT");
    const result = await ended;
    expect(result.code).toBe(130);
    const { raw } = await runOf(result);
    expect(raw.manifest.state).toBe("partial");
    expect(raw.attempts.length).toBeGreaterThan(20);
    // A block that was cut short ends with what was under way.
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});
