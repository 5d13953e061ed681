/**
 * Goal    A module from outside is used, or refused with a reason that says what to do.
 * Method  Files in a folder of their own, one for each way to be unusable.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { importOutside, outsideExport } from "./outside.ts";

const folder = mkdtempSync(join(tmpdir(), "aft-bench-outside-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function moduleOf(name: string, text: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  return path;
}

describe("a module from outside", () => {
  it("must be there", async () => {
    await expect(importOutside(join(folder, "nowhere.ts"))).rejects.toThrow(/no such file/);
  });

  it("must be loadable; otherwise its own error is shown", async () => {
    const path = moduleOf("broken", 'throw new Error("no licence");');
    await expect(importOutside(path)).rejects.toThrow(/cannot be loaded: no licence/);
  });

  it("must export something of use; otherwise all that could be is named", async () => {
    const path = moduleOf("nothing", "export const engine = {};");
    await expect(importOutside(path)).rejects.toThrow(
      /none of stateSystem, storageEngine, workload, platform, experiment/,
    );
  });

  it("must have what is called, and a name that is a level of a factor", async () => {
    const path = moduleOf("half", 'export const workload = { name: "My Load", open() {} };');
    const needs = { id: "name", methods: ["create", "open"] };
    await expect(outsideExport(path, "workload", needs)).rejects.toMatchObject({
      problems: [
        { what: "has no method `create`" },
        { what: expect.stringContaining("lower-case words") as string, hint: 'it is "My Load"' },
      ],
    });
    await expect(outsideExport(path, "platform", needs)).rejects.toThrow(/is not exported/);
  });

  it("is handed on as it is", async () => {
    const path = moduleOf("fine", 'export const workload = { name: "mine", create: () => 7 };');
    const loaded = await outsideExport<{ create(): number }>(path, "workload", {
      id: "name",
      methods: ["create"],
    });
    expect(loaded.create()).toBe(7);
  });
});
