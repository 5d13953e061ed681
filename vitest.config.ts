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

/**
 * Two tiers. `unit` needs nothing but npm and loads no socket; `e2e` starts real servers and
 * processes on loopback, one file at a time, because files would share two cores and spoil each
 * other's timeouts.
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
          name: "e2e",
          // These start many processes, and half of what a start costs is compiling the same modules.
          env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/e2e-compile") },
          include: ["{bench,harness,shim,workloads,results}/**/*.e2e.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
