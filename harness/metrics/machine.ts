/** @module What a run was measured on and with: machine, versions, commit. Adapters. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import type { MachineDescription } from "#harness/record/run.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export function describeMachine(): MachineDescription {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryMiB: Math.round(totalmem() / 1_048_576),
    os: type(),
    kernel: release(),
    node: process.versions.node,
    loadAverageAtStart: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Versions of everything that can change a number: the lockfile's, as package.json pins them. */
export function describeVersions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return { "aft-bench": manifest.version, node: process.versions.node, ...manifest.dependencies };
}

/** The commit that ran; "unknown" outside a git checkout. */
export function describeGit(): { commit: string; dirty: boolean } {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    // Of this checkout, not of one that this is installed in.
    if (git("rev-parse", "--show-prefix").trim() !== "") throw new Error("no checkout");
    return {
      commit: git("rev-parse", "HEAD").trim(),
      dirty: git("status", "--porcelain").trim() !== "",
    };
  } catch {
    return { commit: "unknown", dirty: false };
  }
}
