/**
 * @module Secrets come from files, never from arguments: those show in `ps`, in shells' histories
 * and in manifests.
 */
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ConfigError, describeError } from "../errors.ts";

/** Files in PEM, as paths; survives JSON without holding a secret. */
export interface TlsFiles {
  /** Who may have signed the certificate of the other side; default: the usual authorities. */
  readonly caFile?: string;
  /** Shown to the other side; together with `keyFile`. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** The oldest version spoken. */
export const minimumTls = "TLSv1.2";

/** For connecting or serving. @throws ConfigError that names the file, never what is in it. */
export function readTlsFiles(files: TlsFiles, where: string): SecureContextOptions {
  const { caFile, certFile, keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const what = "needs certFile and keyFile together";
    throw new ConfigError([{ where, what }]);
  }
  const options = {
    minVersion: minimumTls,
    ...(caFile !== undefined && { ca: readText(caFile, `${where}.caFile`) }),
    ...(certFile !== undefined && { cert: readText(certFile, `${where}.certFile`) }),
    ...(keyFile !== undefined && { key: readText(keyFile, `${where}.keyFile`) }),
  } as const;
  try {
    createSecureContext(options);
  } catch (cause) {
    const what = `certificate, key and authority do not go together: ${describeError(cause)}`;
    throw new ConfigError([{ where, what, hint: "PEM files; the key unencrypted" }]);
  }
  return options;
}

/** A password from a file, without the line break at its end. @throws ConfigError */
export function readSecret(file: string, where: string): string {
  const secret = readText(file, where).replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigError([{ where, what: `${file} is empty` }]);
  return secret;
}

/** @throws ConfigError */
export function readText(file: string, where: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError([{ where, what: `cannot be read: ${describeError(cause)}` }]);
  }
}
