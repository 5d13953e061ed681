import { describe } from "vitest";
import { missingFor } from "#shim/state/registry.ts";

/**
 * Tests of a system whose npm packages may be missing: skipped then, and the listing says what to install. Where
 * they are required (`npm run nightly:extras`) that is a failure.
 */
export async function describeOptional(system: string, body: () => void): Promise<void> {
  const missing = await missingFor(system);
  if (missing === undefined) {
    describe(system, body);
    return;
  }
  if (process.env["AFT_BENCH_REQUIRE_EXTRAS"] === "1") throw missing;
  describe.skip(`${system} (not run: ${missing.why}; ${missing.get})`, body);
}
