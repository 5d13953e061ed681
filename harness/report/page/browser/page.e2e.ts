/**
 * Goal    The report page, opened from disk with the network off, is complete and true in a real browser.
 * Method  A small run of several experiments by the command line; headless Chromium; what the page shows
 *         against summary.json, what it saves against the files beside it.
 */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { formatAnomaly, formatMs } from "../../format.ts";
import { chromiumMissing, findChromium, startChromium } from "../../testing/chromium.ts";
import { parseSuite, parseSummary } from "#harness/record/schema.ts";
import type { SuiteResult } from "#harness/record/run.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "aft-bench-page-"));
const executable = findChromium();
const names = ["overhead", "anomalies", "fault-timeline"];
/** As the folder of several experiments is called. */
const figures = join(out, "figures", names.join("+"));

/** What was drawn: those of the experiments, and those over several of them. */
function pictures(): string[] {
  const extension = ".vl.json";
  const found = readdirSync(figures).filter((name) => name.endsWith(extension));
  return found.map((name) => name.slice(0, -extension.length)).toSorted();
}

interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, and what was asked of the network. */
  readonly complaints: string[];
  readonly requests: string[];
}

describe.skipIf(executable === undefined)(`report page (skipped if ${chromiumMissing})`, () => {
  let browser: Browser;
  let suite: SuiteResult;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    const args = ["run", ...names, "--smoke", "--seed", "3", "--only", "storage:lmdb"];
    await bench(...args, "--out", out, "--quiet");
    suite = parseSuite(JSON.parse(readFileSync(join(figures, "suite.json"), "utf8")));
    browser = await startChromium(executable ?? "");
  }, 240_000);

  // A page left open goes on costing processes.
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(out, { recursive: true, force: true });
  });

  async function open(
    options: {
      readonly width?: number;
      readonly colorScheme?: "light" | "dark";
      readonly javaScriptEnabled?: boolean;
      readonly path?: string;
    } = {},
  ): Promise<Opened> {
    const { width = 1_600, path = join(figures, "report.html"), ...rest } = options;
    const context = await browser.newContext({
      viewport: { width, height: 1_000 },
      offline: true,
      acceptDownloads: true,
      ...rest,
    });
    contexts.push(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(path).href);
    if (rest.javaScriptEnabled !== false)
      await page.waitForFunction(() => document.documentElement.dataset["drawn"] !== undefined);
    return { page, complaints, requests };
  }

  it.each(["light", "dark"] as const)(
    "draws every figure live, %s, without a complaint and without asking anybody",
    async (colorScheme) => {
      const { page, complaints, requests } = await open({ colorScheme });
      const drawn = await page.locator("[data-figure]").evaluateAll((all) =>
        all.map((picture) => ({
          id: picture.getAttribute("data-figure") ?? "",
          marks: picture.querySelectorAll(".live svg path, .live svg text").length,
          still: getComputedStyle(picture.querySelector(".still") ?? picture).display,
        })),
      );
      expect(drawn.map(({ id }) => id).toSorted()).toEqual(pictures());
      expect(pictures()).toEqual(expect.arrayContaining(names));
      for (const { marks, still } of drawn) {
        expect(marks).toBeGreaterThan(20);
        expect(still).toBe("none");
      }
      expect(complaints).toEqual([]);
      expect(
        requests.filter((url) => !url.startsWith("data:") && !url.startsWith("blob:")),
      ).toEqual([pathToFileURL(join(figures, "report.html")).href]);
    },
  );

  it("shows the numbers of summary.json, each in the row of its run", async () => {
    const { page } = await open();
    const shown = await page.locator("tr[data-run] data").evaluateAll((elements) =>
      elements.map((element) => ({
        run: element.closest("tr")?.dataset["run"] ?? "",
        link: element.closest("tr")?.querySelector("a")?.href ?? "",
        field: element.getAttribute("data-field") ?? "",
        value: element.getAttribute("value") ?? "",
        text: element.textContent,
      })),
    );
    expect(shown.length).toBeGreaterThan(suite.runs.length * 4);
    for (const { run, link, field, value, text } of shown) {
      const path = fileURLToPath(new URL("summary.json", link));
      const summary = parseSummary(JSON.parse(readFileSync(path, "utf8")));
      expect(summary.runId).toBe(run);
      let known: unknown = summary;
      let parent: unknown = summary;
      for (const step of field.split(".")) {
        parent = known;
        known = (known as Readonly<Record<string, unknown>>)[step];
      }
      expect({ run, field, value: Number(value) }).toEqual({ run, field, value: known });
      const expected = field.startsWith("responseTimeUs")
        ? formatMs(known as number)
        : field.startsWith("anomalies")
          ? formatAnomaly(parent as Parameters<typeof formatAnomaly>[0])
          : field === "throughputPerSecond"
            ? (known as number).toFixed(0)
            : String(known);
      expect(text).toBe(expected);
    }
    expect(new Set(shown.map(({ run }) => run))).toEqual(
      new Set(suite.runs.map(({ runId }) => runId)),
    );
  });

  it.each([400, 1_600])("does not scroll sideways at %i pixels, and reads", async (width) => {
    const { page } = await open({ width });
    const sizes = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
      smallest: Math.min(
        ...[...document.querySelectorAll("p, td, li, summary, figcaption")].map((element) =>
          Number.parseFloat(getComputedStyle(element).fontSize),
        ),
      ),
    }));
    expect(sizes.scroll).toBe(sizes.client);
    expect(sizes.smallest).toBeGreaterThanOrEqual(12);
  });

  it("has still pictures, tables, links to files and no hidden control without JavaScript", async () => {
    const { page, complaints } = await open({ javaScriptEnabled: false });
    for (const name of names) {
      const still = page.locator(`[data-figure="${name}"] .still svg`);
      expect((await still.boundingBox())?.height).toBeGreaterThan(100);
      expect(await page.locator(`#figure-${name} a[data-save="csv"]`).getAttribute("href")).toBe(
        `${name}.csv`,
      );
    }
    expect(await page.locator("#theme").isVisible()).toBe(false);
    expect(await page.locator("#filter").isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it("saves PNG, SVG, CSV and spec from the page alone, by keyboard", async () => {
    // No file beside it: what is saved can only come from the page.
    const alone = join(out, "alone", "report.html");
    mkdirSync(join(out, "alone"));
    cpSync(join(figures, "report.html"), alone);
    const { page, complaints } = await open({ path: alone });
    const saved = new Map<string, Buffer>();
    for (const extension of ["png", "svg", "csv", "vl.json"]) {
      const button = page.locator(`#figure-overhead button[data-save="${extension}"]`);
      await button.focus();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.keyboard.press("Enter"),
      ]);
      expect(download.suggestedFilename()).toBe(`overhead.${extension}`);
      const path = join(out, `saved.${extension}`);
      await download.saveAs(path);
      saved.set(extension, readFileSync(path));
    }
    const beside = (extension: string): Buffer =>
      readFileSync(join(figures, `overhead.${extension}`));
    expect(saved.get("csv")).toEqual(beside("csv"));
    expect(saved.get("vl.json")).toEqual(beside("vl.json"));
    expect(saved.get("svg")?.toString()).toMatch(
      /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/,
    );
    const size = (png: Buffer | undefined): number[] => [
      png?.readUInt32BE(16) ?? 0,
      png?.readUInt32BE(20) ?? 0,
    ];
    const [ours, theirs] = [size(saved.get("png")), size(beside("png"))];
    for (const at of [0, 1])
      expect(Math.abs((ours[at] ?? 0) - (theirs[at] ?? 0))).toBeLessThanOrEqual(2);
    expect(saved.get("png")?.length).toBeGreaterThan(10_000);
    expect(complaints).toEqual([]);
  });

  it("can be used by keyboard: skip link first, then theme, figures; focus is seen", async () => {
    const { page } = await open({ colorScheme: "light" });
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Skip");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    const reached = new Set<string>();
    for (let step = 0; step < 400 && reached.size < pictures().length; step += 1) {
      await page.keyboard.press("Tab");
      const { figure, outline } = await page.evaluate(() => ({
        figure: document.activeElement?.getAttribute("data-figure") ?? null,
        outline: getComputedStyle(document.activeElement ?? document.body).outlineStyle,
      }));
      expect(outline).toBe("solid");
      if (figure !== null) reached.add(figure);
    }
    expect([...reached].toSorted()).toEqual(pictures());
  });

  it("switches between dark and light, for this view of the page", async () => {
    const { page, complaints } = await open({ colorScheme: "light" });
    const background = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.locator("#theme").press("Enter");
    await page.waitForFunction(() => document.documentElement.dataset["drawn"] === "dark");
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForFunction(() => document.documentElement.dataset["drawn"] === "dark");
    expect(await background()).toBe(dark);
    expect(await page.locator("#theme").getAttribute("aria-pressed")).toBe("true");
    expect(complaints).toEqual([]);
    const other = await open({ colorScheme: "light" });
    expect(await other.page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      light,
    );
  });

  it("shows numbers at the pointer and goes to the run of a mark that is clicked", async () => {
    const { page } = await open();
    const bar = page
      .locator('#figure-overhead .live svg .mark-rect path[aria-label*="p50"]')
      .first();
    await bar.scrollIntoViewIfNeeded();
    await bar.hover();
    const tip = page.locator("#vg-tooltip-element");
    await expect.poll(() => tip.textContent()).toContain("runId");
    await bar.click();
    await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#run-/);
  });

  it("shows only the runs with the words that were typed", async () => {
    const { page } = await open();
    await page.locator("#filter").fill("overhead aft");
    const expected = suite.runs.filter(
      ({ experiment, cell }) => experiment === "overhead" && cell.system === "aft",
    ).length;
    const rows = page.locator("#runs tr[data-run]:visible");
    expect(await rows.count()).toBe(expected);
    expect(await page.locator("#filter-count").textContent()).toBe(
      `${expected} of ${suite.runs.length} runs`,
    );
  });

  it("runs nothing that a hostile run directory says", async () => {
    const evil = `"'><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>`;
    const place = join(out, "hostile");
    const target = join(place, "figures", "overhead");
    mkdirSync(target, { recursive: true });
    const runs = suite.runs
      .filter(({ experiment }) => experiment === "overhead")
      .map((run) => ({
        ...run,
        directory: join(place, "javascript:alert(1)"),
        cell: { ...run.cell, system: `${evil}${run.cell.system}` },
        notes: [evil],
      }));
    const document_ = {
      ...suite,
      suite: "overhead",
      runs,
      machine: { ...suite.machine, cpuModel: evil },
    };
    writeFileSync(join(target, "suite.json"), JSON.stringify(document_));
    await bench("report", target);
    const path = join(target, "report.html");
    const { page, complaints, requests } = await open({ path });
    expect(await page.title()).toBe("aft-bench: overhead");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("script:not([type])").count()).toBe(1);
    const schemes = await page
      .locator("a")
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).protocol));
    expect(new Set(schemes)).toEqual(new Set(["file:"]));
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    // The text itself is there to be read.
    expect(await page.locator("#runs").textContent()).toContain("<img src=x");
  });

  it("is the same, byte for byte, when it is drawn again", async () => {
    const files = [
      "report.html",
      ...names.flatMap((name) => [`${name}.svg`, `${name}.png`, `${name}.vl.json`]),
    ];
    const read = (): Buffer[] => files.map((name) => readFileSync(join(figures, name)));
    const before = read();
    await bench("report", figures);
    expect(read().map((content, at) => content.equals(before[at] ?? Buffer.alloc(0)))).toEqual(
      files.map(() => true),
    );
  });
});

async function bench(...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, ["bench/cli.ts", ...args], {
    cwd: root,
    maxBuffer: 64 * 1_048_576,
  });
}
