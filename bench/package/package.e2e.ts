/**
 * Goal    What `npm pack` makes works in a folder that has nothing else: the README's example as it is printed,
 *         and the types of what is exported.
 * Method  A real tarball. Its dependencies are this checkout's, by links, because installing them takes a
 *         minute; with AFT_BENCH_INSTALL=1 (`nightly:package`) npm installs it, and the quick suite runs.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSuite } from "#harness/record/schema.ts";
import type { ContractDocument } from "#bench/commands/contract.ts";
import { readExample } from "./example.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "aft-bench-package-"));
const isInstalled = process.env["AFT_BENCH_INSTALL"] === "1";
const { files, commands } = readExample(readFileSync(join(root, "README.md"), "utf8"));
const [install = "", ...rest] = commands;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** As somebody's shell in the folder: nothing of this checkout, of npm or of the test runner is inherited. */
function shell(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_|VITEST|INIT_CWD)/i.test(name),
  );
  const path = (process.env["PATH"] ?? "").split(":").filter((part) => !part.startsWith(root));
  const env = { ...Object.fromEntries(kept), PATH: path.join(":") };
  return new Promise((resolve) => {
    const options = { cwd: folder, env, maxBuffer: 64 * 1_048_576, timeout: 600_000 };
    execFile("sh", ["-c", command], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** The tarball where `npm i` would put it, and links to what it needs. */
async function placeWithLinks(tarball: string): Promise<void> {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "aft-bench"), { recursive: true });
  await shell(`tar -xzf ${tarball} -C node_modules/aft-bench --strip-components=1`);
  const manifest = JSON.parse(
    readFileSync(join(modules, "aft-bench/package.json"), "utf8"),
  ) as Manifest;
  const names = [
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.optionalDependencies),
    "@types/node",
    "typescript",
  ];
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  mkdirSync(join(modules, ".bin"));
  symlinkSync("../aft-bench/dist/bench/bin.js", join(modules, ".bin/aft-bench"));
  symlinkSync("../typescript/bin/tsc", join(modules, ".bin/tsc"));
  symlinkSync(process.execPath, join(modules, ".bin/node"));
}

beforeAll(async () => {
  const packed = await new Promise<string>((resolve, reject) => {
    const args = ["pack", "--silent", "--pack-destination", folder];
    execFile("npm", args, { cwd: root }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(stderr, { cause: error }));
    });
  });
  expect(install).toBe(`npm i ./${packed}`);
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  if (!isInstalled) return placeWithLinks(packed);
  const installed = await shell(`${install} && npm i -D typescript@7.0.2 @types/node@24.19.2`);
  expect(installed.code, installed.stderr).toBe(0);
}, 600_000);

const typed = `
import { checkContract, storageContract, workloadContract } from "aft-bench/contract";
import { closedLoad, defineExperiment, type CellPlan } from "aft-bench/experiment";
import type { PlatformModule } from "aft-bench/platform";
import type { StorageEngine } from "aft-bench/storage";
import { createPrng, createZipf, type WorkloadModule } from "aft-bench/workload";

export const names: string[] = [...storageContract, ...workloadContract].map(({ name }) => name);
export const check = checkContract;
export function sizeOf(engine: StorageEngine): number {
  return engine.capabilities.maxBatch;
}
export const draw = (): number => createZipf(10, 1).next(createPrng(1));
export const load: CellPlan["load"] = closedLoad({
  clients: 1,
  requestsPerClient: 1,
  warmUpRequestsPerClient: 0,
  blocks: 1,
});
export const define = defineExperiment;
export type Mine = Pick<WorkloadModule, "name"> & Pick<PlatformModule, "create">;
// @ts-expect-error An engine has no such capability.
export const wrong = (engine: StorageEngine): unknown => engine.capabilities.magic;
`;

describe("the packed tarball", () => {
  it("has types that a strict NodeNext project accepts, and that can be wrong", async () => {
    writeFileSync(join(folder, "typed.ts"), typed);
    const compilerOptions = {
      target: "es2023",
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      erasableSyntaxOnly: true,
      skipLibCheck: false,
      types: ["node"],
      noEmit: true,
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, include: ["*.ts"] }),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const checked = await shell("npx tsc -p .");
    expect(checked).toMatchObject({ code: 0, stdout: "" });
  });

  it("runs the README's example as printed: contracts, then rows beside the built-in ones", async () => {
    expect(rest.map((command) => command.split(" ").slice(0, 3).join(" "))).toEqual([
      "npx aft-bench contract",
      "npx aft-bench contract",
      "npx aft-bench run",
    ]);
    const [engine = "", system = "", run = ""] = rest;
    for (const command of [engine, system]) {
      const { code, stdout } = await shell(`${command} --json`);
      const { contracts, holds } = JSON.parse(stdout) as ContractDocument;
      const broken = contracts.flatMap(({ clauses }) =>
        clauses.filter(({ outcome }) => outcome === "broken"),
      );
      expect(broken).toEqual([]);
      expect({ code, holds }).toEqual({ code: 0, holds: true });
    }
    const { code, stdout, stderr } = await shell(`${run} --json`);
    expect(code, stderr).toBe(0);
    const { runs } = parseSuite(JSON.parse(stdout));
    const rows = runs.map(({ cell }) => `${cell.system} over ${cell.storage}`);
    expect(rows.toSorted()).toEqual(
      ["lmdb", "sqlite"]
        .flatMap((store) => ["direct", "aft", "own-writes"].map((name) => `${name} over ${store}`))
        .toSorted(),
    );
    for (const { cell, transactions, violated, anomalies } of runs) {
      expect(transactions.committed).toBeGreaterThan(0);
      expect(violated).toEqual([]);
      if (cell.system === "own-writes") expect(anomalies.readYourWrites.transactions).toBe(0);
    }
  });

  it("says why a broken engine breaks its contract", async () => {
    const forgetful = (files.get("sqlite.ts") ?? "").replace(
      "INSERT OR IGNORE INTO",
      "INSERT OR REPLACE INTO",
    );
    writeFileSync(join(folder, "forgetful.ts"), forgetful);
    const { code, stdout } = await shell("npx aft-bench contract ./forgetful.ts");
    expect(code).toBe(5);
    expect(stdout).toMatch(/BROKEN +puts if absent, once/);
    expect(stdout).toMatch(/true !== false/);
  });

  it.runIf(isInstalled)(
    "runs the quick suite",
    async () => {
      const { code, stderr } = await shell("npx aft-bench run quick --smoke --out quick");
      expect(code, stderr).toBe(0);
    },
    600_000,
  );
});
