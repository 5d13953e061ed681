/** @module `aft-bench doctor`: what this machine can and cannot do, and how to get the rest. */
import { spawnSync } from "node:child_process";
import { availableParallelism, freemem, loadavg } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { delay } from "#kit/clock.ts";
import { installEtcd } from "#harness/services/etcd.ts";
import { findPostgres, installPostgres } from "#harness/services/postgres-programs.ts";
import { describePackages, findPackage, installCommand } from "#kit/node/optional-package.ts";
import { optionalSystems } from "#shim/state/registry.ts";
import { formatColumns } from "#bench/text.ts";

interface Finding {
  readonly what: string;
  readonly state: "ok" | "missing" | "poor";
  readonly detail: string;
  /** Present when something can be done about it. */
  readonly get?: string;
}

/** Medians of this many timers are enough to tell a usable clock from a bad one. */
const timerProbes = 41;

/** Looks; changes nothing and starts nothing that outlives the call. */
export async function doctor(): Promise<readonly Finding[]> {
  return [
    nodeVersion(),
    cores(),
    load(),
    memory(),
    await timers(),
    program({ name: "redis-server", args: ["--version"], get: "apt-get install redis-server" }),
    program({ name: "redis-cli", args: ["--version"], get: "apt-get install redis-tools" }),
    program({
      name: "postgres",
      path: join(findPostgres() ?? "", "postgres"),
      args: ["--version"],
      get: installPostgres,
    }),
    program({ name: "etcd", args: ["--version"], get: installEtcd }),
    program({ name: "wrk", args: ["-v"], get: "apt-get install wrk" }),
    program({
      name: "jupyter",
      args: ["nbconvert", "--version"],
      get: "apt-get install jupyter-nbconvert",
    }),
    program({ name: "chromium", args: ["--version"], get: "apt-get install chromium" }),
    awsCredentials(),
    ...(await packages()),
  ];
}

/** Of systems that need npm packages beside our dependencies: one line for each system. */
async function packages(): Promise<Finding[]> {
  const systems = await optionalSystems();
  // Of all at once: npm removes what an earlier `--no-save` has installed.
  const get = installCommand(systems.flatMap(({ needs }) => needs));
  return systems.map(({ system, needs }) => {
    const what = `system ${system}`;
    return needs.some((one) => findPackage(one) === undefined)
      ? { what, state: "missing", detail: "npm packages not installed", get }
      : { what, state: "ok", detail: describePackages(needs).join(", ") };
  });
}

export function formatFindings(findings: readonly Finding[]): string {
  return formatColumns(
    findings.map(({ what, state, detail, get }) => [
      state,
      what,
      get === undefined ? detail : `${detail}; get it with: ${get}`,
    ]),
  );
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const what = "node";
  const detail = `${process.versions.node} at ${process.execPath}`;
  if (major >= 24) return { what, state: "ok", detail };
  return { what, state: "poor", detail, get: "npm ci, then start through npm run" };
}

function cores(): Finding {
  const count = availableParallelism();
  return {
    what: "cores",
    state: count >= 2 ? "ok" : "poor",
    detail: count >= 2 ? String(count) : `${count}: generator and servers share one core`,
  };
}

function load(): Finding {
  const [oneMinute = 0] = loadavg();
  const busy = oneMinute > availableParallelism() / 2;
  return {
    what: "load",
    state: busy ? "poor" : "ok",
    detail: `${oneMinute.toFixed(2)} over the last minute${busy ? ": something else is running" : ""}`,
  };
}

function memory(): Finding {
  const freeMiB = Math.round(freemem() / 1_048_576);
  return { what: "memory", state: freeMiB > 1_024 ? "ok" : "poor", detail: `${freeMiB} MiB free` };
}

async function timers(): Promise<Finding> {
  const clock = createSystemClock({ precise: true });
  const lateUs: number[] = [];
  for (let probe = 0; probe < timerProbes; probe += 1) {
    const dueUs = clock.monotonicUs() + 2_000;
    await delay(clock, 2_000);
    lateUs.push(clock.monotonicUs() - dueUs);
  }
  const median = lateUs.toSorted((a, b) => a - b)[Math.floor(timerProbes / 2)] ?? 0;
  return {
    what: "timers",
    state: median < 100 ? "ok" : "poor",
    detail: `precise timers are ${median} µs late at the median of ${timerProbes}`,
  };
}

function program(options: {
  readonly name: string;
  /** Where it is not found by its name. */
  readonly path?: string;
  readonly args: readonly string[];
  readonly get: string;
}): Finding {
  const { name, path = name, args, get } = options;
  const { error, stdout, stderr } = spawnSync(path, args, { encoding: "utf8", timeout: 10_000 });
  if (error !== undefined) return { what: name, state: "missing", detail: "not installed", get };
  const [firstLine = ""] = `${stdout}${stderr}`.split("\n");
  return { what: name, state: "ok", detail: firstLine.trim() };
}

function awsCredentials(): Finding {
  const present =
    process.env["AWS_ACCESS_KEY_ID"] !== undefined || process.env["AWS_PROFILE"] !== undefined;
  return present
    ? { what: "AWS", state: "ok", detail: "credentials in the environment (not tried)" }
    : { what: "AWS", state: "missing", detail: "no credentials", get: "set AWS_PROFILE" };
}
