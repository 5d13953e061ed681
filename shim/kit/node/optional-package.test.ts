/**
 * Goal    A package that is there is loaded from where the user has it; one that is not says how to get it.
 * Method  Folders with packages of their own in `node_modules`, as npm would leave them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { NotAvailableError } from "../errors.ts";
import {
  findPackage,
  importOptional,
  installCommand,
  missingPackages,
} from "./optional-package.ts";

const folder = mkdtempSync(join(tmpdir(), "aft-bench-optional-"));
const below = join(folder, "project", "deep");
mkdirSync(below, { recursive: true });
const elsewhere = mkdtempSync(join(tmpdir(), "aft-bench-elsewhere-"));
afterAll(() => {
  for (const each of [folder, elsewhere]) rmSync(each, { recursive: true, force: true });
});

/** As npm leaves it: files by name, and what its package.json says beside name and version. */
function install(name: string, about: object, files: Readonly<Record<string, string>>): void {
  const directory = join(folder, "project", "node_modules", name);
  mkdirSync(directory, { recursive: true });
  const manifest = { name, version: "1.2.3", ...about };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
}

const absent = { name: "@aft-bench/absent", version: "4.5.6" };
const present = { name: "@aft-bench/present", version: "1.0.0" };
install(
  present.name,
  { exports: { ".": "./main.cjs", "./part": "./part.cjs" } },
  { "main.cjs": 'exports.what = "all";', "part.cjs": 'exports.what = "a part";' },
);

describe("an optional package", () => {
  it("that is not installed says so, with the command that installs all that is needed", async () => {
    const error = missingPackages("its-system", [present, absent], [below]);
    expect(error).toBeInstanceOf(NotAvailableError);
    expect(error).toMatchObject({
      what: "its-system",
      why: "the npm package @aft-bench/absent is not installed",
      get: "npm install --no-save @aft-bench/present@1.0.0 @aft-bench/absent@4.5.6",
    });
    await expect(importOptional(absent, { roots: [below] })).rejects.toMatchObject({
      code: "not_available",
      get: installCommand([absent]),
    });
  });

  it("is found above the first of the folders that has it, with the version that is there", () => {
    expect(findPackage(present, [below])).toEqual({
      name: present.name,
      version: "1.2.3",
      directory: join(folder, "project", "node_modules", present.name),
    });
    expect(findPackage(present, [elsewhere, below])?.version).toBe("1.2.3");
    expect(findPackage(present, [elsewhere])).toBeUndefined();
    expect(missingPackages("its-system", [present], [below])).toBeUndefined();
    expect(missingPackages("its-system", [])).toBeUndefined();
  });

  it("is loaded from there, and a part of it by its name", async () => {
    expect(await importOptional(present, { roots: [below] })).toMatchObject({ what: "all" });
    const part = await importOptional(present, { roots: [below], subpath: "/part" });
    expect(part).toMatchObject({ what: "a part" });
  });

  it("may be an ES module", async () => {
    const name = "as-module";
    install(name, { type: "module", exports: "./main.js" }, { "main.js": "export const one = 1;" });
    const loaded = await importOptional({ name, version: "1.0.0" }, { roots: [below] });
    expect(loaded).toMatchObject({ one: 1 });
  });

  it("that cannot be loaded says why, and is not taken for a missing one", async () => {
    const name = "broken";
    install(name, { main: "main.cjs" }, { "main.cjs": 'throw new Error("no licence");' });
    await expect(
      importOptional({ name, version: "1.0.0" }, { roots: [below] }),
    ).rejects.toMatchObject({
      code: "not_available",
      why: "broken 1.2.3 is installed and cannot be loaded: no licence",
    });
  });
});
