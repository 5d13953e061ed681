/**
 * Goal    The composite action does what it says: outcome, summary, JUnit, exit code.
 * Method  Its own steps, taken from the YAML, run by bash in a scratch clone as a runner would.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ownRoot } from "#bench/ab-block/revision.ts";
import { mutants, mutate, mutatedFile } from "./mutants.ts";

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: {
    readonly steps: readonly {
      readonly run: string;
      readonly env: Readonly<Record<string, string>>;
    }[];
  };
}

const directory = mkdtempSync(join(tmpdir(), "aft-bench-action-"));
const clone = join(directory, "clone");
let action: Action;

beforeAll(() => {
  execFileSync("git", ["clone", "--quiet", "--no-hardlinks", ownRoot, clone]);
  symlinkSync(join(ownRoot, "node_modules"), join(clone, "node_modules"), "junction");
  const path = join(clone, ".github/actions/aft-bench-gate/action.yml");
  action = parse(readFileSync(path, "utf8")) as Action;
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the action's steps with these inputs over its defaults. */
function act(inputs: Readonly<Record<string, string>>): {
  status: number | null;
  output: string;
  summary: string;
  log: string;
} {
  const files = {
    GITHUB_OUTPUT: join(directory, "output"),
    GITHUB_STEP_SUMMARY: join(directory, "summary"),
  };
  for (const path of Object.values(files)) writeFileSync(path, "");
  const valueOf = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? "";
  let [status, log]: [number | null, string] = [0, ""];
  for (const { run, env } of action.runs.steps) {
    const values = Object.entries(env).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_all, input: string) => valueOf(input)),
    ]);
    const script = join(directory, "step.sh");
    writeFileSync(script, run);
    const step = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: join(clone, valueOf("working-directory")),
      env: { ...process.env, ...files, ...(Object.fromEntries(values) as NodeJS.ProcessEnv) },
      encoding: "utf8",
    });
    status = step.status;
    log += step.stdout + step.stderr;
    if (status !== 0) break;
  }
  const [output, summary] = Object.values(files).map((path) => readFileSync(path, "utf8"));
  return { status, output: output ?? "", summary: summary ?? "", log };
}

describe("the composite action", () => {
  it("passes an unchanged clone, with summary, output and JUnit", () => {
    const { status, output, summary, log } = act({ junit: "gate.xml" });
    expect(log).toContain("exact gate: pass");
    expect(status).toBe(0);
    expect(output).toBe("outcome=pass\n");
    expect(summary).toContain("### exact gate: pass");
    expect(readFileSync(join(clone, "gate.xml"), "utf8")).toMatch(
      /<testsuite name="exact gate" .*failures="0"/,
    );
  });

  it("fails a commit that calls the storage once more, with the gate's own exit code", () => {
    const path = join(clone, mutatedFile);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, mutate(text, mutants.oneCallMore) ?? "");
    const { status, output, summary } = act({});
    writeFileSync(path, text);
    expect(status).toBe(99);
    expect(output).toBe("outcome=fail\n");
    expect(summary).toContain("storageCalls");
  });

  it("reports what a gate cannot tell, and does not fail for it; fails for anything else", () => {
    // Another repository's command: what the action makes of exit codes is its own.
    writeFileSync(
      join(clone, "gate.sh"),
      'printf "%s\\n" "$@" > arguments; exit "$GATE_TEST_CODE"\n',
    );
    process.env["GATE_TEST_CODE"] = "4";
    const unsure = act({ command: "bash gate.sh", base: "main", threshold: "0.3" });
    expect(unsure).toMatchObject({ status: 0, output: "outcome=inconclusive\n" });
    expect(unsure.log).toContain("::warning::");
    expect(readFileSync(join(clone, "arguments"), "utf8")).toMatch(
      /^gate\n--exact\n[^]*--time\n--base\nmain\n--threshold\n0\.3\n$/,
    );
    process.env["GATE_TEST_CODE"] = "1";
    expect(act({ command: "bash gate.sh" })).toMatchObject({ status: 1, output: "outcome=fail\n" });
    delete process.env["GATE_TEST_CODE"];
  });
});
