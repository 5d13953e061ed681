/**
 * Goal    The rules of `import-rules.ts` hold for the whole repository, and can fail.
 * Method  1. Planted violations, one per rule, are found.
 *         2. The repository itself has none.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findUntidiness, layerOf, type SourceFile } from "./tidy.ts";

const root = join(import.meta.dirname, "../..");

interface Manifest {
  readonly name: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const dependencies = new Set([
  // A test of what is packed says how it is imported.
  manifest.name,
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.devDependencies),
]);

function repositoryFiles(): SourceFile[] {
  return ["bench", "harness", "shim", "workloads", "results"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.startsWith("runs/"))
      // This file is full of planted violations.
      .filter((name) => join(root, folder, name) !== import.meta.filename)
      .map((name) => ({
        path: `${folder}/${name}`,
        text: readFileSync(join(root, folder, name), "utf8"),
      })),
  );
}

const planted: readonly (readonly [rule: string, file: SourceFile])[] = [
  ["protocol imports no replica", file("shim/aft/protocol/a.ts", 'import "../replica/port.ts";')],
  ["checker imports no shim", file("harness/checker/a.ts", 'import { x } from "#shim/x.ts";')],
  ["nobody imports bench", file("harness/report/a.ts", 'import { x } from "#bench/x.ts";')],
  ["tests import no bench", file("harness/report/a.test.ts", 'import { x } from "#bench/x.ts";')],
  ["packages are declared", file("shim/kit/a.ts", 'import x from "left-pad";')],
  ["pure layers have no clock", file("shim/aft/protocol/a.ts", "const now = Date.now();")],
  ["pure layers do not wait", file("harness/stats/a.ts", "await something();")],
  ["replica has no timers of its own", file("shim/aft/replica/a.ts", "setTimeout(f, 1);")],
  ["the client has no timers of its own", file("shim/aft/client/a.ts", "setTimeout(f, 1);")],
  ["direct storage draws nothing itself", file("shim/direct/a.ts", "crypto.getRandomValues(a);")],
  ["the simulator knows no real time", file("harness/sim/a.ts", "const a = new Date();")],
  ["the simulator does no I/O", file("harness/sim/a.ts", 'import { x } from "node:fs";')],
  ["loopback only", file("harness/faas/a.ts", 'listen("0.0.0.0");')],
  ["no barrels", file("shim/kit/index.ts", "")],
  ["no junk folders", file("shim/utils/a.ts", "")],
  ["kebab-case", file("shim/kit/fooBar.ts", "")],
  ["short files", file("shim/kit/a.ts", "\n".repeat(500))],
];

function file(path: string, text: string): SourceFile {
  return { path, text };
}

describe("tidy rules", () => {
  it.each(planted)("finds a violation: %s", (_rule, source) => {
    expect(findUntidiness([source], dependencies)).toHaveLength(1);
  });

  it("allows what is allowed", () => {
    const fine = file("shim/aft/replica/a.ts", 'import { b } from "../protocol/b.ts";');
    expect(findUntidiness([fine], dependencies)).toEqual([]);
  });

  it("lets adapters reach the real world", () => {
    expect(findUntidiness([file("harness/sim/loop.ts", "setImmediate(f);")], dependencies)).toEqual(
      [],
    );
  });

  it("lets the most specific layer decide", () => {
    expect(layerOf("workloads/functions/handler.ts")).toBe("workloads/functions");
    expect(layerOf("workloads/keys/zipf.ts")).toBe("workloads");
  });
});

describe("repository", () => {
  it("keeps the rules", () => {
    expect(findUntidiness(repositoryFiles(), dependencies)).toEqual([]);
  });

  it("pins every dependency exactly", () => {
    // Also under another name: `npm:osls@4.3.1` is what serverless-offline finds as `serverless`.
    const versions = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    expect(
      versions.filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version)),
    ).toEqual([]);
  });

  it("has the fixed top level", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .filter((name) => !["node_modules", "coverage", "dist"].includes(name));
    expect(folders.toSorted()).toEqual(["bench", "harness", "results", "shim", "workloads"]);
  });
});
