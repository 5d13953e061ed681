/** @module `aft-bench artifact`: a folder for the evaluation of an artifact, from what a suite left. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, NotAvailableError } from "#kit/errors.ts";
import { describeGit } from "#harness/metrics/machine.ts";
import type { RepositoryFacts } from "#harness/report/artifact/artifact.ts";
import { claimRows } from "#harness/report/artifact/claims.ts";
import { verifySuite } from "#harness/report/artifact/verify.ts";
import { refuseUsedFolder, writeArtifact } from "#harness/report/artifact/write.ts";
import { evaluateClaims } from "#harness/report/claims.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { readSuite } from "./suite-input.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Prints what the folder holds. Rejects with `ConfigError` for a wrong suite or folder and with
 * `ArtifactRecordError` when records are missing or broken; then nothing is written.
 */
export async function artifact(options: {
  /** A suite's document or directory, or a results directory with one suite. */
  readonly runs: string;
  readonly outDirectory: string;
  readonly raw: boolean;
  readonly json: boolean;
}): Promise<number> {
  const { outDirectory, raw, json } = options;
  await refuseUsedFolder(resolve(outDirectory));
  const recorded = await readSuite(oneSuite(options.runs), "--runs");
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const { suite, manifests } = await verifySuite(recorded.suite, stop.signal);
    const input = {
      suite: { ...suite, claims: evaluateClaims(suite) },
      manifests,
      repository: await repositoryFacts(),
      raw,
    };
    const files = await writeArtifact(input, { outDirectory, signal: stop.signal });
    const claims = claimRows(input);
    const document = { directory: resolve(outDirectory), suite: suite.suite, claims, files };
    console.log(
      json
        ? JSON.stringify(document, undefined, 2)
        : `${document.directory}: ${files.length} files, ${claims.length} claims, ${suite.runs.length} runs; begin with README.md`,
    );
    return exitCodes.ok;
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    stop.dispose();
  }
}

/** `results` stands for its only suite; with several the choice is the caller's. */
function oneSuite(given: string): string {
  const figures = join(given, "figures");
  if (!existsSync(figures)) return given;
  const suites = readdirSync(figures).filter((name) =>
    existsSync(join(figures, name, "suite.json")),
  );
  const [only] = suites;
  if (only !== undefined && suites.length === 1) return join(figures, only);
  const what = `${figures} holds ${suites.length} suites: ${suites.join(", ")}`;
  throw new ConfigError([{ where: "--runs", what, hint: `name one: --runs ${figures}/<suite>` }]);
}

async function repositoryFacts(): Promise<RepositoryFacts> {
  const about = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly version: string;
    readonly license?: string;
  };
  const lockfilePath = join(root, "package-lock.json");
  if (!existsSync(lockfilePath)) {
    const why = "as an installed package it has no lockfile that says what it ran with";
    throw new NotAvailableError({ what: "an artifact", why, get: "git clone, and npm ci" });
  }
  const lockfile = await readFile(lockfilePath);
  const hasLicence = existsSync(join(root, "LICENSE"));
  return {
    version: about.version,
    ...(hasLicence && about.license !== undefined && { licence: about.license }),
    lockfileSha256: createHash("sha256").update(lockfile).digest("hex"),
    ...describeGit(),
  };
}
