/**
 * @module Deployment on serverless-offline: a generated `serverless.yml` and a process, because it answers
 * Invoke but not CreateFunction.
 *
 * What it does not do, so nothing here can show it: concurrency limits, retries of Events, log tails, error
 * types. It ends no instance at a time-out.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError, ProjectError } from "#kit/errors.ts";
import { freePort } from "#harness/services/free-port.ts";
import type { FunctionSpec } from "../port.ts";
import { bundleFunction } from "./bundle.ts";
import type { Deployment } from "./deployment.ts";

/** serverless-offline did not start, or ended. */
export class EmulatorError extends ProjectError {
  readonly code = "lambda_emulator";
  readonly disposition = "abort";
}

const processPath = fileURLToPath(
  import.meta.resolve("#harness/faas/lambda/serverless-process.ts"),
);
const startTimeoutMs = 60_000;
const service = "aft-bench";

/**
 * Each deployment starts the emulator anew with all functions known by then.
 *
 * @throws NotAvailableError where it is not installed: it is a development dependency
 */
export function createServerlessDeployment(): Deployment {
  const installed = findInstalled();
  const specs = new Map<string, FunctionSpec>();
  let running: Running | undefined;
  const stop = async (): Promise<void> => {
    const before = running;
    running = undefined;
    await before?.stop();
  };
  return {
    get endpoint() {
      return running?.endpoint;
    },
    emulator: `serverless-offline ${installed.version}`,
    get pids() {
      return running?.pid === undefined ? [] : [running.pid];
    },
    deploy: async (functions) => {
      for (const spec of functions) specs.set(spec.name, spec);
      await stop();
      running = await start([...specs.values()], installed.programUrl);
    },
    find: (name) => (specs.has(name) ? { functionName: name } : undefined),
    tearDown: async () => {
      specs.clear();
      await stop();
    },
  };
}

function findInstalled(): { readonly programUrl: string; readonly version: string } {
  try {
    const programUrl = import.meta.resolve("serverless/bin/serverless.js");
    const manifest = new URL("../../serverless-offline/package.json", programUrl);
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return { programUrl, version };
  } catch (cause) {
    throw new NotAvailableError({ what: "serverless-offline", get: "npm ci --include=dev", cause });
  }
}

interface Running {
  readonly endpoint: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

async function start(specs: readonly FunctionSpec[], programUrl: string): Promise<Running> {
  const folder = makeOwnDirectory("serverless");
  try {
    await writeService(folder, specs, programUrl);
    const [lambdaPort, httpPort] = [await freePort(), await freePort()];
    const child = fork(
      processPath,
      [
        fileURLToPath(programUrl),
        "offline",
        "start",
        "--host=127.0.0.1",
        "--noPrependStageInUrl",
        `--lambdaPort=${lambdaPort}`,
        `--httpPort=${httpPort}`,
      ],
      {
        cwd: folder,
        execArgv: [],
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: {
          ...process.env,
          SLS_TELEMETRY_DISABLED: "1",
          SLS_NOTIFICATIONS_MODE: "off",
          CI: "1",
        },
      },
    );
    await listening(child);
    return {
      endpoint: `http://127.0.0.1:${lambdaPort}`,
      pid: child.pid,
      stop: async () => {
        await end(child);
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function writeService(
  folder: string,
  specs: readonly FunctionSpec[],
  programUrl: string,
): Promise<void> {
  const functions: Record<string, unknown> = {};
  for (const spec of specs) {
    const path = join(folder, "functions", spec.name);
    await mkdir(path, { recursive: true });
    const { source } = await bundleFunction(spec, { besideNodeModules: true });
    await writeFile(join(path, "index.mjs"), source);
    functions[spec.name] = {
      name: spec.name,
      handler: `functions/${spec.name}/index.handler`,
      timeout: Math.max(1, Math.ceil(spec.timeoutMs / 1_000)),
      environment: spec.environment,
    };
  }
  // Plugins are looked up beside the service.
  const installed = fileURLToPath(new URL("../..", programUrl));
  await symlink(installed, join(folder, "node_modules"), "dir");
  // JSON is YAML, and quotes whatever is in a value.
  const definition = {
    service,
    provider: { name: "aws", runtime: "nodejs22.x", region: "us-east-1" },
    plugins: ["serverless-offline"],
    functions,
  };
  await writeFile(join(folder, "serverless.yml"), JSON.stringify(definition, undefined, 2));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: service, type: "module" }));
}

/** Resolves when the Lambda port is served; what was said so far is in the error otherwise. */
async function listening(child: ChildProcess): Promise<void> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(`did not start within ${startTimeoutMs} ms`);
    }, startTimeoutMs);
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new EmulatorError(`serverless-offline ${why}: ${said.slice(-1_000)}`));
    };
    const listen = (chunk: Buffer): void => {
      // Read for as long as it runs: a full pipe would stop it.
      if (said.length < 100_000) said += chunk.toString();
      if (!/Offline \[http for lambda\] listening/.test(said)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("exit", (code, signal) => {
      fail(`ended with ${signal ?? code}`);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => {
    child.once("exit", resolve);
  });
  child.kill("SIGKILL");
  await exited;
}
