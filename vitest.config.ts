import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** GitHub's workflow parser names source maps that it does not ship; a warning for each file. */
const withoutSourceMaps = {
  name: "without-source-maps",
  enforce: "pre" as const,
  load: (id: string): string | undefined =>
    id.includes("/@actions/") && id.endsWith(".js")
      ? readFileSync(id, "utf8").replace(/^\/\/# sourceMappingURL=.*$/m, "")
      : undefined,
};

/** What judges times, or dies of somebody else's load: one file at a time, and nothing beside it. */
const undisturbed = [
  "bench/capacity.e2e.ts",
  "bench/gates/gates.e2e.ts",
  "bench/generators.e2e.ts",
  "bench/interference.e2e.ts",
  "harness/calibrate/calibrate.e2e.ts",
  "harness/services/{cluster-rounds,crash,duplicates}.e2e.ts",
];

const e2e = {
  // These start many processes, and half of what a start costs is compiling the same modules.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/e2e-compile") },
  testTimeout: 120_000,
  hookTimeout: 60_000,
};

/**
 * Three tiers, one after another. `unit` needs nothing but npm and loads no socket; `e2e` starts real
 * servers and processes on loopback, two files at a time; `alone` does that one file at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [withoutSourceMaps],
        test: {
          name: "unit",
          // It imports JSON as only bundlers do.
          server: { deps: { inline: [/@actions\//] } },
          include: ["{bench,harness,shim,workloads,results}/**/*.test.ts"],
          // They share no state but modules, and starting a process for each file costs more than the tests.
          isolate: false,
          // Properties take seconds alone and many times that beside somebody else's load.
          testTimeout: 90_000,
        },
      },
      {
        test: {
          ...e2e,
          name: "e2e",
          include: ["{bench,harness,shim,workloads,results}/**/*.e2e.ts"],
          exclude: undisturbed,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...e2e,
          name: "alone",
          include: undisturbed,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
