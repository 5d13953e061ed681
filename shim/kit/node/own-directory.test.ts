/**
 * Goal    A killed process leaves no directory for ever, and a living one keeps its own.
 * Method  Real processes; one is killed, one lives, a third makes a directory of its own.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";

const moduleUrl = import.meta.resolve("./own-directory.ts");
const make = `import { makeOwnDirectory } from ${JSON.stringify(moduleUrl)};
process.stdout.write(makeOwnDirectory("test"));`;
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Makes one and stays. */
async function owner(folder: string): Promise<{ directory: string; kill: () => Promise<void> }> {
  const code = `${make}\nsetInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, TMPDIR: folder, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  stops.push(() => {
    child.kill("SIGKILL");
  });
  const directory = await new Promise<string>((resolve) => {
    child.stdout.once("data", (text: Buffer) => {
      resolve(text.toString());
    });
  });
  return { directory, kill };
}

it("removes what a killed process has left, and nothing of one that lives", async () => {
  const folder = mkdtempSync(join(tmpdir(), "own-directory-"));
  stops.push(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const [killed, living] = [await owner(folder), await owner(folder)];
  await killed.kill();
  expect(existsSync(killed.directory)).toBe(true);

  const third = spawnSync(process.execPath, ["--input-type=module", "-e", make], {
    env: { ...process.env, TMPDIR: folder, NODE_OPTIONS: "" },
    encoding: "utf8",
  });

  expect(existsSync(third.stdout)).toBe(true);
  expect(existsSync(killed.directory)).toBe(false);
  expect(existsSync(living.directory)).toBe(true);
});
