/**
 * @module The page's script in one piece: vega, vega-lite, vega-embed and `browser/`, minified, with the
 * licences of everything in it. The same sources give the same bytes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ProjectError } from "#kit/errors.ts";

export interface PageBundle {
  readonly script: string;
  /** Licence texts of what is in `script`, as they must be passed on. */
  readonly notices: string;
}

/** The page's script cannot be put together: a broken installation. */
export class PageBundleError extends ProjectError {
  readonly code = "page_bundle";
  readonly disposition = "abort";

  constructor(what: string, options?: { cause: unknown }) {
    super(`cannot put the report page's script together: ${what}; npm ci repairs it`, options);
  }
}

const entry = fileURLToPath(import.meta.resolve("#harness/report/page/browser/main.ts"));
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Rejects with `PageBundleError`. About half a second of one core. */
export async function bundlePage(): Promise<PageBundle> {
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      platform: "browser",
      format: "iife",
      target: "es2022",
      // Licences stand in the page as a list of their own.
      legalComments: "none",
      logLevel: "silent",
    });
    const script = outputFiles[0]?.text ?? "";
    // Either would end the element that the script stands in.
    if (script === "" || /<\/script|<!--/i.test(script))
      throw new PageBundleError("it cannot stand inside a page");
    return { script, notices: await noticesOf(Object.keys(metafile.inputs)) };
  } catch (cause) {
    if (cause instanceof PageBundleError) throw cause;
    throw new PageBundleError("bundling failed", { cause });
  }
}

/** Packages by name, those under one text together. `inputs` are relative to `root`. */
async function noticesOf(inputs: readonly string[]): Promise<string> {
  const foreign = inputs
    .filter((path) => path.startsWith("..") || path.includes("node_modules/"))
    // Installed as a package, this is below node_modules itself.
    .map((path) => join(root, path));
  const folders = new Set(
    foreign.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const byText = new Map<string, string[]>();
  for (const folder of [...folders].toSorted()) {
    const { name, version, license, text } = await licenceOf(folder);
    const names = byText.get(text) ?? [];
    names.push(`${name} ${version} (${license})`);
    byText.set(text, names);
  }
  return [...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}`).join("\n\n\n");
}

async function licenceOf(
  folder: string,
): Promise<{ name: string; version: string; license: string; text: string }> {
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  const text = file === undefined ? "" : (await readFile(join(folder, file), "utf8")).trim();
  return { name: about.name, version: about.version, license: about.license ?? "", text };
}
