/**
 * Goal    An artifact says what its record shows and nothing else, and is not made of a broken one.
 * Method  The committed record and damaged copies of it; texts by clause.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { copyRun, sampleManifest, sampleSuite } from "../testing/sample.ts";
import { type ArtifactInput, cellText, commandOf, formatDuration, secondsOf } from "./artifact.ts";
import { badgesOf, badgesText } from "./badges.ts";
import { claimRows, claimsText } from "./claims.ts";
import { environmentText, readmeText } from "./texts.ts";
import { ArtifactRecordError, firstDifference, verifySuite } from "./verify.ts";
import { writeArtifact } from "./write.ts";

const { signal } = new AbortController();
const manifest = sampleManifest();
const claim: ClaimVerdict = {
  id: "table2-aft-none",
  text: "AFT shows none | of <them>",
  source: "Table 2",
  paper: 0,
  ours: "0 of 100",
  verdict: "reproduced",
};

function inputOf(change: Partial<SuiteResult> = {}): ArtifactInput {
  return {
    suite: { ...sampleSuite(), claims: [claim], ...change },
    manifests: new Map([[manifest.runId, manifest]]),
    repository: {
      version: "0.1.0",
      licence: "Apache-2.0",
      lockfileSha256: "ab".repeat(32),
      commit: manifest.git.commit,
      dirty: false,
    },
    raw: false,
  };
}

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "aft-bench-artifact-"));
});
afterEach(() => {
  rmSync(place, { recursive: true, force: true });
});

describe("time needed", () => {
  it("counts an instant once, however many runs were under way", () => {
    const at = (startedAtMs: number, durationMs: number) => ({
      ...manifest,
      startedAtMs,
      durationMs,
    });
    expect(secondsOf([at(0, 2_000), at(1_000, 2_000), at(10_000, 500)])).toBe(3.5);
    expect(secondsOf([at(5_000, 1_000), at(0, 10_000)])).toBe(10);
    expect(secondsOf([])).toBe(0);
  });

  it("reads well", () => {
    expect([0.32, 42, 600, 7_300].map(formatDuration)).toEqual([
      "0.3 s",
      "42 s",
      "10 min",
      "2 h 2 min",
    ]);
  });
});

describe("commands", () => {
  it("are those that were given, without where results went", () => {
    expect(commandOf({ command: ["run", "paper", "--out", "/x y", "--seed", "3"] })).toBe(
      "npm run bench -- run paper --seed 3",
    );
    expect(commandOf({ command: ["run", "--out=z", "$(reboot)", "it's"] })).toBe(
      String.raw`npm run bench -- run '$(reboot)' 'it'\''s'`,
    );
  });
});

describe("claims", () => {
  it("stand with command, observed value, verdict, runs and measured time", () => {
    expect(claimRows(inputOf())).toEqual([
      expect.objectContaining({
        id: "table2-aft-none",
        command: "npm run bench -- run anomalies --profile smoke --seed 1",
        observed: "0 of 100",
        verdict: "reproduced",
        runIds: [manifest.runId],
        seconds: 0.3,
      }),
    ]);
  });

  it("name their experiment even if nothing of it ran", () => {
    const [row] = claimRows(inputOf({ claims: [{ ...claim, runIds: [], ours: null }] }));
    expect(row).toMatchObject({ observed: "nothing measured", seconds: 0.3 });
    expect(row?.command).toContain("run anomalies overhead --profile smoke");
  });

  it("cannot break out of their table", () => {
    expect(claimsText(inputOf())).toContain(String.raw`AFT shows none \| of &lt;them>`);
    expect(cellText("a\n| b ` \\")).toBe("a \\| b \\` \\\\");
  });
});

describe("badges", () => {
  const ticked = (input: ArtifactInput, start: string): boolean | undefined =>
    badgesOf(input)
      .flatMap(({ items }) => items)
      .find(({ text }) => text.startsWith(start))?.done;

  it("leave open what only authors or reviewers can do", () => {
    for (const start of ["a DOI", "the DOI", "it works for the reviewers", "obtained by somebody"])
      expect(ticked(inputOf(), start)).toBe(false);
  });

  it("tick what the record shows, and only then", () => {
    const { runs } = sampleSuite();
    const invalid = runs.map((run) => ({ ...run, valid: false, invalidReasons: ["busy"] }));
    expect(ticked(inputOf(), "validated: 1 of 1")).toBe(true);
    expect(ticked(inputOf({ runs: invalid }), "validated: 0 of 1")).toBe(false);
    expect(ticked(inputOf(), "1 of 1 claims are reproduced")).toBe(true);
    const worse = { ...claim, verdict: "not-reproduced" as const };
    expect(ticked(inputOf({ claims: [worse] }), "0 of 1 claims are reproduced")).toBe(false);
    expect(ticked(inputOf(), "complete: 1 of 1")).toBe(true);
    const notRun = [{ what: "redis", why: "not installed", get: "apt-get install redis-server" }];
    expect(ticked(inputOf({ notRun }), "complete: 1 of 1")).toBe(false);
    // The committed record was made of a changed checkout and without a certificate.
    expect(ticked(inputOf(), "the runs were made by committed code")).toBe(false);
    expect(ticked(inputOf(), "calibration")).toBe(false);
    const calibration = { hash: "c0ffee", createdAtMs: 0, passed: true, sameMachine: true };
    expect(ticked(inputOf({ calibration }), "calibration")).toBe(true);
  });

  it("have one line an item, all four badges", () => {
    const text = badgesText(inputOf());
    expect(text.match(/^## /gm)).toHaveLength(4);
    const items = badgesOf(inputOf()).flatMap(({ items: all }) => all);
    expect(text.match(/^- \[[ x]\] /gm)).toHaveLength(items.length);
  });
});

describe("texts", () => {
  it("name machine, versions, lockfile and the way from zero", () => {
    const environment = environmentText(inputOf());
    for (const part of ["AMD EPYC, 2 cores", "24.21.0", "ab".repeat(32), "| vega | 6.4.0 |"])
      expect(environment).toContain(part);
    const readme = readmeText(inputOf());
    for (const part of ["npm ci", manifest.git.commit, "run anomalies --smoke", "SHA256SUMS"])
      expect(readme).toContain(part);
  });
});

describe("verifySuite", () => {
  const verify = (directory: string, change: Partial<SuiteResult> = {}) =>
    verifySuite({ ...sampleSuite(directory), ...change }, signal);
  const problemsOf = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ArtifactRecordError);
    return (error as ArtifactRecordError).message;
  };

  it("accepts a whole record", async () => {
    const { suite, manifests } = await verify(copyRun(place));
    expect(suite.runs).toHaveLength(1);
    expect(manifests.get(manifest.runId)).toEqual(manifest);
  });

  it.each(["manifest.json", "summary.json", "requests.ndjson.gz", "measurements.json"])(
    "refuses a run without %s",
    async (name) => {
      const directory = copyRun(place);
      rmSync(join(directory, name));
      expect(await problemsOf(verify(directory))).toContain(directory);
    },
  );

  it("refuses a summary that does not follow from the raw record", async () => {
    const directory = copyRun(place);
    const path = join(directory, "summary.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"p50": 3683', '"p50": 3000'));
    const message = await problemsOf(verify(directory));
    expect(message).toContain("does not follow from the raw record at responseTimeUs.p50");
    expect(message).toContain("differs from the suite's document at responseTimeUs.p50");
  });

  it("refuses cut-off records, other people's runs and unfinished ones", async () => {
    const cut = copyRun(join(place, "cut"));
    const requests = join(cut, "requests.ndjson.gz");
    writeFileSync(requests, readFileSync(requests).subarray(0, 200));
    expect(await problemsOf(verify(cut))).toContain(cut);
    const other = copyRun(join(place, "other"));
    const path = join(other, "manifest.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"complete"', '"running"').replace("825j", "826j"));
    const message = await problemsOf(verify(other));
    expect(message).toContain("the run is running, not complete");
    expect(message).toContain("826j");
  });

  it("refuses interrupted and empty suites", async () => {
    const directory = copyRun(place);
    expect(await problemsOf(verify(directory, { state: "partial" }))).toContain("interrupted");
    expect(await problemsOf(verify(directory, { runs: [] }))).toContain("holds no run");
  });
});

describe("firstDifference", () => {
  it("finds the place, and lets a newer version know more", () => {
    expect(firstDifference({ a: { b: [1, 2] } }, { a: { b: [1, 3] } })).toBe("a.b.1");
    expect(firstDifference({ a: 1 }, { a: 1, b: 2 })).toBeUndefined();
    expect(firstDifference({ a: 1, b: 2 }, { a: 1 })).toBe("b");
    expect(firstDifference([1], [1, 2])).toBe(".length");
    const witnesses = (kind: string) => ({ anomalies: { witnesses: [{ kind }] } });
    expect(firstDifference(witnesses("a"), witnesses("b"))).toBeUndefined();
  });
});

describe("writeArtifact", () => {
  it("writes a whole folder whose sums are right and whose report is drawn of its own copies", async () => {
    const directory = copyRun(join(place, "results"));
    const suite = { ...sampleSuite(directory), claims: [claim] };
    const outDirectory = join(place, "artifact");
    const files = await writeArtifact({ ...inputOf(), suite }, { outDirectory, signal });
    const sums = readFileSync(join(outDirectory, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(sums).toHaveLength(files.length - 1);
    for (const line of sums) {
      const [sum = "", path = ""] = line.split("  ");
      const content = readFileSync(join(outDirectory, path));
      expect(createHash("sha256").update(content).digest("hex")).toBe(sum);
    }
    const reference = join(outDirectory, "reference");
    const document = readFileSync(join(reference, "figures/sample/suite.json"), "utf8");
    expect(document).toContain(`"directory": "../../runs/anomalies/${manifest.runId}"`);
    const page = readFileSync(join(reference, "figures/sample/report.html"), "utf8");
    expect(page).toContain(`href="./../../runs/anomalies/${manifest.runId}/"`);
    for (const text of [document, page]) expect(text).not.toContain(place);
    expect(readdirSync(place).toSorted()).toEqual(["artifact", "results"]);
  });

  it("never writes into a folder that holds something", async () => {
    const outDirectory = join(place, "used");
    mkdirSync(outDirectory);
    writeFileSync(join(outDirectory, "thesis.tex"), "");
    const suite = sampleSuite(copyRun(join(place, "results")));
    await expect(
      writeArtifact({ ...inputOf(), suite }, { outDirectory, signal }),
    ).rejects.toBeInstanceOf(ConfigError);
    expect(readdirSync(outDirectory)).toEqual(["thesis.tex"]);
  });

  it("leaves nothing behind when it fails, or is stopped", async () => {
    const suite = { ...sampleSuite(copyRun(join(place, "results"))), suite: "../evil" };
    const outDirectory = join(place, "artifact");
    await expect(
      writeArtifact({ ...inputOf(), suite }, { outDirectory, signal }),
    ).rejects.toBeInstanceOf(ConfigError);
    const stopped = AbortSignal.abort(new Error("stopped"));
    await expect(
      writeArtifact(
        { ...inputOf(), suite: sampleSuite(copyRun(join(place, "results"))) },
        { outDirectory, signal: stopped },
      ),
    ).rejects.toThrow("stopped");
    expect(existsSync(outDirectory)).toBe(false);
    expect(readdirSync(place)).toEqual(["results"]);
  });
});
