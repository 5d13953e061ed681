/** @module For tests: an authority and certificates for this machine, made by openssl. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Whether openssl is there; without it the tests that need certificates say that they are skipped. */
export function hasOpenssl(): boolean {
  if (spawnSync("openssl", ["version"]).status === 0) return true;
  process.stderr.write("skipped: openssl is not installed: apt-get install openssl\n");
  return false;
}

export class TestAuthority {
  readonly caFile: string;
  readonly #keyFile: string;
  readonly #directory: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.caFile = join(directory, `${name}.pem`);
    this.#keyFile = join(directory, `${name}-key.pem`);
    openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`,
      ["-keyout", this.#keyFile, "-out", this.caFile],
    );
  }

  /** For 127.0.0.1, as server and as client. */
  certificate(name: string): CertificateFiles {
    const certFile = join(this.#directory, `${name}.pem`);
    const keyFile = join(this.#directory, `${name}-key.pem`);
    const request = join(this.#directory, `${name}.csr`);
    const extensions = join(this.#directory, `${name}.ext`);
    writeFileSync(
      extensions,
      "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n",
    );
    openssl(`req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=${name}`, [
      "-keyout",
      keyFile,
      "-out",
      request,
    ]);
    openssl("x509 -req -days 2 -CAcreateserial", [
      "-in",
      request,
      "-out",
      certFile,
      "-CA",
      this.caFile,
      "-CAkey",
      this.#keyFile,
      "-extfile",
      extensions,
    ]);
    return { certFile, keyFile };
  }
}

function openssl(words: string, files: readonly string[]): void {
  execFileSync("openssl", [...words.split(" "), ...files], { stdio: "pipe" });
}
