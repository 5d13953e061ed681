/**
 * Goal    A workload, a platform and an experiment from outside run, and are judged by their contracts.
 * Method  The command line over a module that exports all three. Engines and systems: package/package.e2e.ts.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parseSuite } from "#harness/record/schema.ts";
import type { ContractDocument } from "./commands/contract.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "aft-bench-outside-"));
const module = join(folder, "mine.ts");
const from = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href);

writeFileSync(
  module,
  `import { createInlinePlatform } from ${from("harness/faas/inline/platform.ts")};
   import { createWorkload } from ${from("workloads/registry.ts")};

   export const platform = {
     name: "mine",
     create: async (options) => Object.assign(createInlinePlatform(options), { name: "mine" }),
   };
   export const workload = {
     name: "mine",
     parameters: { writes: 2, keyCount: 50, valueBytes: 512, batch: "batch" },
     create: (parameters, seed) => createWorkload({ name: "write-only", parameters, seed }),
   };
   const cell = {
     workload: "mine", platform: "mine", system: "direct", storage: "lmdb",
     emulation: "none", faults: "none", zipfTheta: 0, clients: 2,
   };
   export const experiment = {
     id: "mine",
     title: "Mine",
     question: "Does it run?",
     reproduces: { source: "nothing", deviations: [] },
     notShown: "Anything else.",
     cells: () => [{
       cell, system: "direct", faults: { kind: "none" }, estimateSeconds: 1,
       storage: { service: "lmdb", emulation: "none" },
       platform: { name: "mine", invocation: "none" },
       workload: { name: "mine", parameters: { writes: 3 } },
       load: {
         model: "closed", clients: 2, requestsPerClient: 5, warmUpRequestsPerClient: 1,
         blocks: 1, thinkTimeUs: 0,
       },
     }],
   };`,
);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1_048_576 };
    execFile(process.execPath, ["bench/cli.ts", ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("a module from outside", () => {
  it("runs its experiment with its workload on its platform", async () => {
    const out = join(folder, "out");
    const flags = ["--smoke", "--json", "--out", out, "--use", module];
    const { code, stdout, stderr } = await bench("run", "mine", ...flags);
    expect(code, stderr).toBe(0);
    const [run, ...others] = parseSuite(JSON.parse(stdout)).runs;
    expect(others).toEqual([]);
    expect(run?.cell).toMatchObject({ workload: "mine", platform: "mine", storage: "lmdb" });
    // 50 keys were written before the load, and three by each request of it.
    expect(run?.transactions).toMatchObject({ committed: 10, failed: 0, unknown: 0 });
  });

  it("is judged export by export, and its platform is found out", async () => {
    const { code, stdout } = await bench("contract", module, "--json");
    const { contracts } = JSON.parse(stdout) as ContractDocument;
    expect(contracts.map(({ export: kind, name }) => `${kind} ${name}`)).toEqual([
      "workload mine",
      "platform mine",
      "experiment mine",
    ]);
    const broken = contracts.flatMap(({ clauses }) =>
      clauses.filter(({ outcome }) => outcome === "broken").map(({ name }) => name),
    );
    expect(broken).toEqual([]);
    expect(code).toBe(0);
  });

  it("is refused when its name is taken, before anything starts", async () => {
    const taken = join(folder, "taken.ts");
    writeFileSync(taken, `export const workload = { name: "paper", parameters: {}, create() {} };`);
    const { code, stderr } = await bench("plan", "overhead", "--use", taken);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is a workload called "paper" already/);
  });
});
