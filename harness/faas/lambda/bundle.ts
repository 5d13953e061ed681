/**
 * @module A function as one file and as the archive that Lambda takes.
 *
 * The same sources give the same bytes, so that a redeployment of what is there can be seen as such.
 * Native modules cannot be bundled: a function that opens `lmdb` fails on Lambda, and says why.
 */
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { zipSync } from "fflate";
import { ProjectError } from "#kit/errors.ts";
import type { FunctionSpec } from "../port.ts";

/** The function's sources cannot be put into one file. */
export class BundleError extends ProjectError {
  readonly code = "bundle_failed";
  readonly disposition = "abort";
}

export interface Bundle {
  /** `index.mjs`, which exports `handler`. */
  readonly source: Uint8Array;
  readonly zip: Uint8Array;
}

const wrapPath = fileURLToPath(import.meta.resolve("#harness/faas/lambda/wrap.ts"));
/** CommonJS packages inside an ES module ask for `require`. */
const banner =
  'import { createRequire as __createRequire } from "node:module";\n' +
  "const require = __createRequire(import.meta.url);";

/** Whoever imports it may go on; whoever opens a database with it is told why that cannot be. */
const withoutNative: Plugin = {
  name: "without-native",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^lmdb$/ }, () => ({ path: "lmdb", namespace: "without-native" }));
    bundler.onLoad({ filter: /.*/, namespace: "without-native" }, () => ({
      contents: 'export function open() { throw new Error("lmdb is native and not bundled"); }',
    }));
  },
};

/**
 * Rejects with `BundleError`. `besideNodeModules`: where native modules will be found; otherwise they
 * are left out.
 */
export async function bundleFunction(
  { modulePath, exportName }: FunctionSpec,
  options: { readonly besideNodeModules?: boolean } = {},
): Promise<Bundle> {
  const entry = [
    `import { ${exportName} as inner } from ${JSON.stringify(modulePath)};`,
    `import { wrapHandler } from ${JSON.stringify(wrapPath)};`,
    "export const handler = wrapHandler(inner);",
  ].join("\n");
  let source: Uint8Array | undefined;
  try {
    const result = await build({
      stdin: { contents: entry, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node22",
      ...(options.besideNodeModules === true
        ? { external: ["lmdb"] }
        : { plugins: [withoutNative] }),
      banner: { js: banner },
      logLevel: "silent",
    });
    source = result.outputFiles[0]?.contents;
  } catch (cause) {
    throw new BundleError(`${modulePath} cannot be bundled`, { cause });
  }
  if (source === undefined) throw new BundleError(`${modulePath} gave no bundle`);
  // Zip holds local times and none before 1980: one fixed day.
  const zip = zipSync({ "index.mjs": [source, { mtime: new Date(1980, 0, 2), level: 6 }] });
  return { source, zip };
}
