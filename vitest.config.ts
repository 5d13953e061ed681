import { defineConfig } from "vitest/config";

/**
 * Two tiers. `unit` needs nothing but npm and loads no socket; `e2e` starts real servers and
 * processes on loopback, one file at a time, because files would share two cores and spoil each
 * other's timeouts.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{bench,harness,shim,workloads,results}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["{bench,harness,shim,workloads,results}/**/*.e2e.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
