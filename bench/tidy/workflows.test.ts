/**
 * Goal    Workflows and the composite action are what GitHub understands: it cannot be asked from here.
 * Method  GitHub's own parser and schemas over the real files, and over files with one mistake each.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const directory = join(import.meta.dirname, "../../.github");
const read = (name: string): string => readFileSync(join(directory, name), "utf8");
const perf = read("workflows/perf.yml");
const action = read("actions/aft-bench-gate/action.yml");

function problems(kind: "workflow" | "action", content: string): string[] {
  const parseIt = kind === "workflow" ? parseWorkflow : parseAction;
  const { context } = parseIt({ name: kind, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

/** The text with one change, which must be possible. */
function changed(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

describe("GitHub's parser", () => {
  it.each(["workflows/ci.yml", "workflows/perf.yml"])("accepts %s", (name) => {
    expect(problems("workflow", read(name))).toEqual([]);
  });

  it("accepts the composite action", () => {
    expect(problems("action", action)).toEqual([]);
  });

  it.each([
    ["runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04"],
    ["${{ github.event.pull_request.base.sha }}", "${{ githb.event.pull_request.base.sha }}"],
    ["${{ github.event.pull_request.base.sha }}", "${{ github.event.pull_request.base. }}"],
    ["timeout-minutes: 20", "timeout-minutes: soon"],
  ])("refuses a workflow with %s as %s", (from, to) => {
    expect(problems("workflow", changed(perf, from, to))).not.toEqual([]);
  });

  it.each([
    ["using: composite", "using: compost"],
    ["${{ inputs.base }}", "${{ inputs.base"],
  ])("refuses an action with %s as %s", (from, to) => {
    expect(problems("action", changed(action, from, to))).not.toEqual([]);
  });
});

it("passes inputs that the action has, and uses only those it declares", () => {
  const { inputs, runs } = parse(action) as {
    inputs: Record<string, unknown>;
    runs: { steps: { shell?: string; run?: string; env?: Record<string, string> }[] };
  };
  const used = [...action.matchAll(/inputs\.([a-z-]+)/g)].map(([, name]) => name ?? "");
  expect(new Set(used)).toEqual(new Set(Object.keys(inputs)));
  const { jobs } = parse(perf) as {
    jobs: { gate: { steps: { uses?: string; with?: Record<string, unknown> }[] } };
  };
  const step = jobs.gate.steps.find(({ uses }) => uses === "./.github/actions/aft-bench-gate");
  for (const name of Object.keys(step?.with ?? {})) expect(Object.keys(inputs)).toContain(name);
  for (const { run = "", shell } of runs.steps) {
    expect(shell).toBe("bash");
    // Text put into a script by the runner is code; values go through the environment.
    expect(run).not.toContain("${{");
  }
});
