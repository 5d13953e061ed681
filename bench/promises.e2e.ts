/**
 * Goal    A system is held to what it promises, by verdicts and not only by counts: also one from
 *         outside this repository, and also afterwards, from its run directory.
 * Method  A system that promises read atomicity and is plain storage; the run must end with 5, say
 *         which transactions admit no order, and `check` must find the same in the run directory.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { parseSuite, parseSummary } from "#harness/record/schema.ts";
import type { CheckDocument } from "./commands/check.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "aft-bench-promises-"));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function bench(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1_048_576 };
    execFile(process.execPath, ["bench/cli.ts", ...args], options, (error, stdout) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout });
    });
  });
}

it("ends with 5 when no order explains a run at what its system promises", async () => {
  const module = join(folder, "boaster.ts");
  const direct = pathToFileURL(join(root, "shim/direct/system.ts")).href;
  writeFileSync(
    module,
    `import { setTimeout as sleep } from "node:timers/promises";
     import { stateSystem as direct } from ${JSON.stringify(direct)};
     // Between a request's two writes there is time for all others, so that it does not depend on luck
     // whether anybody reads one without the other.
     const slow = (session) => ({
       transactionId: session.transactionId,
       get: (key) => session.get(key),
       getMany: (keys) => session.getMany(keys),
       put: async (key, value) => { await sleep(20); await session.put(key, value); },
       putMany: (entries) => session.putMany(entries),
       suspend: () => session.suspend(),
       commit: () => session.commit(),
       abort: () => session.abort(),
     });
     const open = async (options) => {
       const system = await direct.open(options);
       return {
         name: "boaster",
         begin: (options) => system.begin(options),
         resume: (context) => slow(system.resume(context)),
         outcomeOf: (context) => system.outcomeOf(context),
         close: () => system.close(),
       };
     };
     export const stateSystem = { name: "boaster", promises: ["read-atomic"], open };`,
  );
  const only = ["--only", "storage:lmdb", "--only", "zipfTheta:1.5"];
  const out = join(folder, "out");
  const flags = ["--smoke", "--json", ...only, "--use", module, "--out", out];
  const { code, stdout } = await bench("run", "anomalies", ...flags);
  expect(code).toBe(5);
  const suite = parseSuite(JSON.parse(stdout));
  const runs = new Map(suite.runs.map((run) => [run.cell.system, run]));
  expect(runs.get("direct")?.violated).toEqual([]);
  expect(runs.get("aft")?.violated).toEqual([]);
  expect(runs.get("aft")?.verdicts).toMatchObject({
    rc: "pass",
    ra: "pass",
    "ra-without-sessions": "pass",
  });
  const boaster = runs.get("boaster");
  expect(boaster?.violated).toEqual(["read-atomic"]);
  expect(boaster?.verdicts["ra-without-sessions"]).toBe("violation");
  expect(boaster?.unexplained?.[0]?.explanation).toMatch(/reads k\d+ = /);

  const judged = await bench("check", boaster?.directory ?? "", "--json");
  expect(judged.code).toBe(5);
  const document = JSON.parse(judged.stdout) as CheckDocument;
  const { rc, ra, cc } = boaster?.verdicts ?? {};
  expect(document).toMatchObject({ format: "aft-bench", verdicts: { rc, ra, cc } });
  // What other checkers would be given says the same, but cannot say that a writer is not recorded.
  const plume = await bench("check", boaster?.directory ?? "", "--format", "plume", "--json");
  const said = (verdict = ""): string => (verdict === "undecided" ? "pass" : verdict);
  expect(JSON.parse(plume.stdout)).toMatchObject({
    format: "plume",
    verdicts: { rc: said(rc), ra: said(ra), cc: said(cc) },
  });

  const summary = JSON.parse(
    readFileSync(join(boaster?.directory ?? "", "summary.json"), "utf8"),
  ) as Record<string, unknown>;
  const { unexplained: _, ...old } = summary;
  expect(parseSummary({ ...old, verdicts: { "counted-anomalies": "pass" } })).toBeDefined();
});
