/**
 * @module Jupyter with the Deno kernel of this repository's own dependencies.
 *
 * The kernel is described in a private folder, so nothing is installed into the user's Jupyter and another Deno of the
 * machine is not used. Executing needs no network: packages come from node_modules.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError, ProjectError } from "#kit/errors.ts";

const require = createRequire(import.meta.url);

/** A notebook did not run through. */
export class ExecutionError extends ProjectError {
  readonly code = "notebook_execution";
  readonly disposition = "abort";
}

/** Far above any honest notebook. */
const cellTimeoutSeconds = 120;
/** For what a cell showed to arrive, when the cell is done. */
const outputTimeoutSeconds = 15;
const mostOutputBytes = 64 * 1_048_576;

/** Throws `NotAvailableError` where this platform has none, or optional dependencies were left out. */
export function findDeno(): string {
  const { platform, arch } = process;
  const names: Readonly<Record<string, string>> = {
    "linux x64": "@deno/linux-x64-glibc",
    "linux arm64": "@deno/linux-arm64-glibc",
    "darwin x64": "@deno/darwin-x64",
    "darwin arm64": "@deno/darwin-arm64",
    "win32 x64": "@deno/win32-x64",
  };
  const name = names[`${platform} ${arch}`];
  try {
    if (name === undefined) throw new Error(`no package for ${platform} ${arch}`);
    const folder = dirname(require.resolve(`${name}/package.json`));
    const path = join(folder, platform === "win32" ? "deno.exe" : "deno");
    if (existsSync(path)) return path;
  } catch {
    // Said below, with how to have it.
  }
  throw new NotAvailableError({
    what: "the Deno kernel",
    why: "the npm package of Deno, whose kernel runs them, is not installed",
    get: "npm ci, without --omit=optional",
  });
}

/** Throws `NotAvailableError` where Jupyter's nbconvert is missing. */
export async function requireJupyter(): Promise<void> {
  try {
    await run("jupyter", ["nbconvert", "--version"], {});
  } catch {
    throw new NotAvailableError({
      what: "jupyter nbconvert",
      get: "apt-get install jupyter-nbconvert, or pip install nbconvert ipykernel",
    });
  }
}

/**
 * Executes notebooks on a record, one after another; the executed files' contents by name. Rejects with
 * `ExecutionError`, which ends with what the failing cell said.
 */
export async function executeNotebooks(options: {
  readonly paths: readonly string[];
  readonly record: string;
  readonly deno: string;
}): Promise<ReadonlyMap<string, string>> {
  const { paths, record, deno } = options;
  const directory = makeOwnDirectory("notebook");
  try {
    await describeKernel(directory, deno);
    const flags = [
      "--to=notebook",
      "--execute",
      `--output-dir=${directory}`,
      `--ExecutePreprocessor.timeout=${cellTimeoutSeconds}`,
      "--ExecutePreprocessor.kernel_name=deno",
      `--ExecutePreprocessor.iopub_timeout=${outputTimeoutSeconds}`,
    ];
    await run("jupyter", ["nbconvert", ...flags, ...paths], {
      JUPYTER_PATH: directory,
      JUPYTER_PLATFORM_DIRS: "1",
      DENO_DIR: join(directory, "deno"),
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      AFT_BENCH_RECORD: record,
    });
    const executed = new Map<string, string>();
    for (const name of paths.map((path) => basename(path)))
      executed.set(name, await readFile(join(directory, name), "utf8"));
    return executed;
  } catch (cause) {
    throw new ExecutionError(`a notebook failed: ${endOf(cause)}`, { cause });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function describeKernel(directory: string, deno: string): Promise<void> {
  const folder = join(directory, "kernels", "deno");
  await mkdir(folder, { recursive: true });
  const kernel = {
    argv: [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  await writeFile(join(folder, "kernel.json"), JSON.stringify(kernel));
}

function run(
  command: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...argv],
      { env: { ...process.env, ...environment }, maxBuffer: mostOutputBytes },
      (error, _stdout, stderr) => {
        process.off("SIGTERM", stop);
        if (error === null) resolve();
        else reject(new Error(stderr === "" ? error.message : stderr, { cause: error }));
      },
    );
    // It ends its kernel on SIGTERM; left alone, both would stay.
    const stop = (): void => {
      child.kill("SIGTERM");
    };
    process.once("SIGTERM", stop);
  });
}

/** nbconvert says which notebook it is at, then prints its own stack; what the cell said stands at the end. */
function endOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error))
    .split("\n")
    .filter((line) => line.trim() !== "");
  const at = lines.findLast((line) => line.includes("Converting notebook"));
  return [...(at === undefined ? [] : [at]), ...lines.slice(-12)].join("\n");
}
