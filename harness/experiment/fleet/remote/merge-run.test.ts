/**
 * Goal    Parts are put there whole or not at all, and a run is written whole or not at all.
 * Method  Real files in a directory; one byte, one file, one object wrong at a time.
 */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { readHistogramLog } from "#harness/metrics/histogram.ts";
import { generatorDirectory, writeGeneratorRecord } from "#harness/record/generator-record.ts";
import { readRun } from "#harness/record/run-directory.ts";
import {
  DamagedPartError,
  DuplicatePartError,
  ForeignPartError,
  MissingPartError,
} from "./errors.ts";
import { fetchPlan, publishPlan } from "./make-plan.ts";
import { mergeRun } from "./merge-run.ts";
import { type ObjectStore, openObjects, parseObjectsAddress } from "./objects.ts";
import { partFolder, type PartRecord, uploadPart } from "./part.ts";
import { fleetPlan, partOf, recordedPart } from "./testing.ts";

let directory: string;
let objects: ObjectStore;
let out: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "aft-bench-merge-"));
  out = join(directory, "out");
  objects = await openObjects(`dir:${directory}/objects`, { clock: createSystemClock() });
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const plan = fleetPlan();

async function upload(index: number, more: Partial<PartRecord> & { count?: number } = {}) {
  const { count = 5, ...rest } = more;
  const own = join(directory, "own");
  const requests = Array.from({ length: count }, (_unused, at) => ({
    dueUs: at * 300_000 + index,
    responseUs: 1_000 * (at + index + 1),
  }));
  const { part, record } = recordedPart(partOf(plan, index, rest), requests);
  await writeGeneratorRecord(own, record);
  return uploadPart({ objects, directory: own, record: part });
}

const merge = (more: { allowMissing?: boolean } = {}) =>
  mergeRun({ plan, objects, outDirectory: out, allowMissing: false, command: ["merge"], ...more });

const pathOf = (index: number, file: string): string =>
  join(directory, "objects", partFolder(index, `a${index}`), file);

describe("a part's record", () => {
  it("is put there again without a change, if it is the same", async () => {
    const first = await upload(1);
    const before = readFileSync(pathOf(1, "part.json"));
    expect(await upload(1)).toEqual(first);
    expect(readFileSync(pathOf(1, "part.json"))).toEqual(before);
  });

  it("is not replaced by another of the same attempt", async () => {
    await upload(1);
    const before = readFileSync(pathOf(1, "requests.ndjson.gz"));
    await expect(upload(1, { count: 6 })).rejects.toThrow(DuplicatePartError);
    await expect(upload(1, { count: 6 })).rejects.toThrow(/part 2 of 3, attempt a1/);
    expect(readFileSync(pathOf(1, "requests.ndjson.gz"))).toEqual(before);
  });
});

describe("merging", () => {
  it("writes a run that can be read again, whose histogram is the sum of the parts'", async () => {
    for (const index of [0, 1, 2]) await upload(index);
    const { directory: run, summary } = await merge();
    expect((await readRun(run)).attempts).toHaveLength(15);
    const logOf = (path: string) =>
      readHistogramLog(readFileSync(join(run, path, "latency.hlog"), "utf8")).get(
        "response-time-us",
      );
    const [sum, ...others] = [0, 1, 2].map((index) => logOf(generatorDirectory(index)));
    for (const other of others) if (other !== undefined) sum?.merge(other);
    expect(sum?.count).toBe(15);
    expect(logOf("")?.summary()).toEqual(sum?.summary());
    expect(summary.responseTimeUs).toEqual(sum?.summary());
  });

  it("does not replace a run that was merged before", async () => {
    for (const index of [0, 1, 2]) await upload(index);
    await merge();
    await expect(merge()).rejects.toThrow(ConfigError);
  });

  it("makes a partial run without a part, where that is asked for", async () => {
    await upload(0);
    await upload(2);
    const { summary } = await merge({ allowMissing: true });
    expect(summary.valid).toBe(false);
    expect(summary.invalidReasons[0]).toMatch(/^part-missing: part 2 of 3/);
  });

  const wrongs: readonly (readonly [
    string,
    new (...args: never[]) => Error,
    RegExp,
    () => void,
  ])[] = [
    [
      "a part without its last object",
      MissingPartError,
      /part 2 of 3 is missing \(attempt a1 ended/,
      () => rmSync(pathOf(1, "part.json")),
    ],
    [
      "a file that is cut off",
      DamagedPartError,
      /part 2 of 3: .*requests\.ndjson\.gz has 20 bytes of \d+/,
      () => truncateSync(pathOf(1, "requests.ndjson.gz"), 20),
    ],
    [
      "a file that is gone",
      DamagedPartError,
      /transactions\.ndjson\.gz is gone/,
      () => rmSync(pathOf(1, "transactions.ndjson.gz")),
    ],
    [
      "a byte that is another",
      DamagedPartError,
      /latency\.hlog was changed/,
      () => {
        const content = readFileSync(pathOf(1, "latency.hlog"));
        content[40] = (content[40] ?? 0) ^ 1;
        writeFileSync(pathOf(1, "latency.hlog"), content);
      },
    ],
    [
      "a record of another plan",
      ForeignPartError,
      /is of plan 000000000000/,
      () => {
        const text = readFileSync(pathOf(1, "part.json"), "utf8");
        writeFileSync(
          pathOf(1, "part.json"),
          text.replace(/"planHash": "\w{12}/, '"planHash": "000000000000'),
        );
      },
    ],
  ];
  it.each(wrongs)("refuses %s, and writes nothing", async (_what, kind, message, breakIt) => {
    for (const index of [0, 1, 2]) await upload(index);
    breakIt();
    const merging = merge();
    await expect(merging).rejects.toThrow(kind);
    await expect(merging).rejects.toThrow(message);
    const left = existsSync(out) ? await readdir(out, { recursive: true }) : [];
    expect(left.filter((name) => name.includes(plan.runId))).toEqual([]);
  });

  it("refuses two records of one part that differ", async () => {
    for (const index of [0, 1, 2]) await upload(index);
    await upload(1, { attempt: "again", count: 6 });
    await expect(merge()).rejects.toThrow(DuplicatePartError);
  });
});

describe("where parts meet", () => {
  it("belongs to one plan", async () => {
    await expect(fetchPlan(objects)).rejects.toThrow(ConfigError);
    await publishPlan(plan, objects);
    await publishPlan(plan, objects);
    expect(await fetchPlan(objects)).toEqual(plan);
    await expect(publishPlan({ ...plan, seed: 2 }, objects)).rejects.toThrow(/another plan/);
  });

  it("is named by bucket and prefix, or by a directory", () => {
    expect(parseObjectsAddress("s3://bucket/a/b/?region=r&endpoint=http://h:1", "--to")).toEqual({
      kind: "s3",
      bucket: "bucket",
      prefix: "a/b",
      region: "r",
      endpoint: "http://h:1",
    });
    for (const bad of ["s3://bucket", "s3://bucket/", "dir:", "/tmp/x", "s3://b u/x", "https://x"])
      expect(() => parseObjectsAddress(bad, "--to")).toThrow(ConfigError);
    expect(() => parseObjectsAddress("s3://bucket/x?endpoint=http://u:p@h", "--to")).toThrow(
      ConfigError,
    );
  });
});
