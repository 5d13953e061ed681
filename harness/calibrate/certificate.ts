/**
 * @module The certificate of a calibration: what was checked, when, on which machine, with a hash over it
 * all, so that a report can say by which calibration its numbers stand.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";
import type { CalibrationReference, MachineDescription } from "#harness/record/run.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import type { CheckResult } from "./check.ts";

export interface Certificate {
  readonly schemaVersion: 1;
  readonly createdAtMs: number;
  readonly passed: boolean;
  readonly machine: MachineDescription;
  readonly versions: Readonly<Record<string, string>>;
  readonly git: { readonly commit: string; readonly dirty: boolean };
  readonly checks: readonly CheckResult[];
  /** SHA-256 over everything above as JSON. */
  readonly hash: string;
}

/** A certificate was changed by hand, or is none. */
export class CertificateError extends ProjectError {
  readonly code = "bad_certificate";
  readonly disposition = "abort";
}

export function certify(
  content: Omit<Certificate, "schemaVersion" | "hash" | "passed">,
): Certificate {
  const passed = content.checks.every((check) => check.passed);
  const signed = { schemaVersion: 1 as const, passed, ...content };
  return { ...signed, hash: hashOf(signed) };
}

function hashOf(content: Omit<Certificate, "hash">): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** Where a results directory keeps its certificate. */
export function certificatePath(outDirectory: string): string {
  return join(outDirectory, "calibration", "certificate.json");
}

/** Rejects with `CertificateError`. */
export async function writeCertificate(path: string, certificate: Certificate): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, stableJson(certificate));
  } catch (cause) {
    throw new CertificateError(`cannot write ${path}; may it be written?`, { cause });
  }
}

const form = z.looseObject({
  schemaVersion: z.literal(1),
  createdAtMs: z.number(),
  passed: z.boolean(),
  checks: z.array(z.looseObject({ id: z.string(), passed: z.boolean() })),
  hash: z.string(),
});

/** The certificate, or `undefined` when there is none. Rejects with `CertificateError`. */
export async function readCertificate(path: string): Promise<Certificate | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined;
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new CertificateError(`${path} is no JSON; run aft-bench calibrate again`, { cause });
  }
  const parsed = form.safeParse(content);
  if (!parsed.success)
    throw new CertificateError(`${path} is no certificate; run aft-bench calibrate again`);
  const { hash, ...rest } = content as Certificate;
  if (hashOf(rest) !== hash)
    throw new CertificateError(
      `${path} was changed after it was made; run aft-bench calibrate again`,
    );
  return content as Certificate;
}

/** What a suite remembers of the certificate; reports print it with its age. */
export function referenceTo(
  certificate: Certificate,
  machine: MachineDescription,
): CalibrationReference {
  const { hash, createdAtMs, passed } = certificate;
  const here = (one: MachineDescription): string => `${one.cpuModel}/${one.cores}/${one.node}`;
  return { hash, createdAtMs, passed, sameMachine: here(certificate.machine) === here(machine) };
}
