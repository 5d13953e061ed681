/**
 * Goal    A record is read from wherever it was moved to, from its run directories; a damaged one is refused, with its
 *         path.
 * Method  The committed small record, copied and changed.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { figures } from "./figures/registry.ts";
import { openRecord, RecordError } from "./open-record.ts";
import { renderFigure } from "./render.ts";

const small = fileURLToPath(new URL("../../results/reference-small", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "aft-bench-record-"));
const copy = join(root, "copy");

beforeEach(() => {
  rmSync(copy, { recursive: true, force: true });
  cpSync(small, copy, { recursive: true });
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

async function firstOf(experiment: string): Promise<{ directory: string; runId: string }> {
  const { suite } = await openRecord(copy);
  const run = suite.runs.find((one) => one.experiment === experiment);
  if (run === undefined) throw new Error(`no run of ${experiment}`);
  return run;
}

describe("a record", () => {
  it("is small enough for a repository, and names no path of the machine it was made on", () => {
    const text = readFileSync(join(small, "suite.json"), "utf8");
    expect(text).not.toMatch(/"directory":"\//);
  });

  it("draws every figure of the evaluation, wherever it lies", async () => {
    const record = await openRecord(copy);
    expect(record.suite.runs.every(({ directory }) => directory.startsWith(copy))).toBe(true);
    // Of experiments that the suite does not hold there is nothing to draw.
    const others = new Set(["retries", "lambda-twin"]);
    for (const figure of figures)
      expect([figure.id, figure.build(record).kind]).toEqual([
        figure.id,
        others.has(figure.id) ? "missing" : "figure",
      ]);
    const built = figures.find(({ id }) => id === "percentile-curves")?.build(record);
    if (built?.kind !== "figure") throw new Error("no curves");
    expect((await renderFigure(built.spec)).svg).toContain("<svg");
  });

  it("takes a changed number from the run directory, not from the document", async () => {
    const { directory, runId } = await firstOf("overhead");
    const path = join(directory, "summary.json");
    const summary = JSON.parse(readFileSync(path, "utf8")) as { throughputPerSecond: number };
    writeFileSync(path, JSON.stringify({ ...summary, throughputPerSecond: 12_345 }));
    const { suite } = await openRecord(copy);
    expect(suite.runs.find((run) => run.runId === runId)?.throughputPerSecond).toBe(12_345);
  });

  it.each([
    ["a summary that is cut off", "summary.json", (path: string) => truncateSync(path, 200)],
    [
      "a summary without a field",
      "summary.json",
      (path: string) => writeFileSync(path, '{"schemaVersion":1}'),
    ],
    ["a histogram that is cut off", "latency.hlog", (path: string) => truncateSync(path, 500)],
  ])("is refused with the run's path: %s", async (_what, name, damage) => {
    const { directory, runId } = await firstOf("overhead");
    damage(join(directory, name));
    await expect(openRecord(copy)).rejects.toThrow(RecordError);
    await expect(openRecord(copy)).rejects.toThrow(new RegExp(`${runId}.*damaged`));
  });

  it("is refused when a histogram is another run's", async () => {
    const { directory } = await firstOf("overhead");
    const { directory: other } = await firstOf("write-latency");
    cpSync(join(other, "latency.hlog"), join(directory, "latency.hlog"));
    await expect(openRecord(copy)).rejects.toThrow(
      /its histogram holds \d+ requests, its summary \d+/,
    );
  });

  it("is refused when a run's directory or the document is missing", async () => {
    const { directory, runId } = await firstOf("overhead");
    rmSync(directory, { recursive: true });
    await expect(openRecord(copy)).rejects.toThrow(
      new RegExp(`${runId}, whose directory is missing`),
    );
    await expect(openRecord(root)).rejects.toThrow(/there is no record at/);
  });
});
