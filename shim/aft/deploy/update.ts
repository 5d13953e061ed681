/**
 * @module Writes what is derived from the code and committed: rendered manifests, and what the container
 * image installs. `npm run deploy:update`; a test says when it is needed.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { committedExample, examples, imagePackage } from "./derived.ts";
import { defaultDeployOptions } from "./options.ts";
import { renderDeployment } from "./render.ts";

const root = join(import.meta.dirname, "../../..");
const rendered = join(import.meta.dirname, "rendered");
const image = join(import.meta.dirname, "image");

mkdirSync(rendered, { recursive: true });
const options = examples[committedExample] ?? defaultDeployOptions;
writeFileSync(join(rendered, `${committedExample}.yaml`), renderDeployment(options));

const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};
writeFileSync(join(image, "package.json"), `${JSON.stringify(imagePackage(own), undefined, 2)}\n`);
// Pruned from the repository's own lockfile, so that the versions are those that are tested.
copyFileSync(join(root, "package-lock.json"), join(image, "package-lock.json"));
execFileSync("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund", "--silent"], {
  cwd: image,
  stdio: "inherit",
});
