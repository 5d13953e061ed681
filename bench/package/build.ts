/**
 * @module `npm pack`: dist/, the sources as JavaScript with types for what is exported, because Node runs no
 * TypeScript below node_modules.
 *
 * Files stay files, so that processes are started, functions bundled and data found as in a clone; only
 * `.ts` became `.js`. `#kit/…` means the same there: dist has a package.json of its own.
 */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { build, type Plugin } from "esbuild";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const dist = join(root, "dist");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Tests, what only tests use, and what only a clone can do. */
const leftOut = [
  /\.(test|e2e)\.ts$/,
  /(^|\/)testing(\/|\.ts$)/,
  /^bench\/(nightly|notebooks|reference|tidy|package\/(build|example))/,
  /^results\/(?!paper|baselines)/,
  /\.md$/,
];
/** What the platform contract deploys. */
const keptAllTheSame = "harness/faas/testing/functions.ts";

async function shippedFiles(): Promise<string[]> {
  const folders = ["bench", "harness", "results", "shim", "workloads"];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
    }),
  );
  return found
    .flat()
    .filter((path) => path === keptAllTheSame || !leftOut.some((pattern) => pattern.test(path)))
    .toSorted();
}

/** Every import stays an import, of the file's new name. */
function keptApart({ dependencies }: Manifest): Plugin {
  return {
    name: "kept-apart",
    setup: (bundler) => {
      bundler.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
        if (kind === "entry-point") return undefined;
        const isOurs = path.startsWith(".") || path.startsWith("#");
        if (!isOurs && !isThere(path, dependencies)) {
          const text = `${relative(root, importer)} needs ${path}, which is no dependency`;
          return { errors: [{ text }] };
        }
        return { path: path.replace(/^(\..*)\.ts$/, "$1.js"), external: true };
      });
    },
  };
}

function isThere(specifier: string, dependencies: Manifest["dependencies"]): boolean {
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return true;
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/") in dependencies;
}

/** So that `#kit/errors.ts`, which sources and types say, is found as JavaScript. */
function manifestOfDist({ name, version, license, imports, dependencies }: Manifest): string {
  const asBuilt = Object.entries(imports).flatMap(([alias, target]) => [
    [`${alias}.ts`, `${target}.js`],
    [alias, target],
  ]);
  return JSON.stringify(
    {
      name,
      version,
      license,
      type: "module",
      imports: Object.fromEntries(asBuilt) as Record<string, string>,
      dependencies,
    },
    undefined,
    2,
  );
}

const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
await rm(dist, { recursive: true, force: true });
const files = await shippedFiles();
const isCode = (path: string): boolean => path.endsWith(".ts");
const types = run("npm", ["exec", "--", "tsc", "-p", "bench/package"], { cwd: root });
await build({
  entryPoints: files.filter((path) => isCode(path) && !path.endsWith(".d.ts")),
  absWorkingDir: root,
  outdir: dist,
  outbase: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  treeShaking: false,
  legalComments: "none",
  logLevel: "warning",
  plugins: [keptApart(manifest)],
});
for (const path of files.filter((one) => !isCode(one))) {
  await mkdir(dirname(join(dist, path)), { recursive: true });
  await copyFile(join(root, path), join(dist, path));
}
await writeFile(join(dist, "package.json"), `${manifestOfDist(manifest)}\n`);
await chmod(join(dist, "bench/bin.js"), 0o755);
await types;
