/** @module For tests: a real browser without a screen and without a network; what to skip without one. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const chromiumMissing = "chromium not installed: apt-get install chromium";

/** Where it is. Where it is required (CI), its absence is a failure. */
export function findChromium(): string | undefined {
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  if (process.env["AFT_BENCH_REQUIRE_CHROMIUM"] === "1") throw new Error(chromiumMissing);
  process.stderr.write(`skipped: ${chromiumMissing}\n`);
  return undefined;
}

export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
