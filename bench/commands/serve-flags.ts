/** @module The flags of `serve`. */
import type { Command } from "commander";
import { numberOption } from "../flags.ts";

export interface ServeFlags {
  readonly storage: string;
  readonly port: number;
  readonly host?: string;
  readonly socket?: string;
  readonly adminPort?: number;
  readonly replicas: number;
  readonly managers: number;
  readonly users?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly peerCa?: string;
  readonly peerUser?: string;
  readonly peerPasswordFile?: string;
}

export function addServe(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("serve")
    .description("an AFT replica, or a cluster of them, for your own use, over the Redis protocol")
    .requiredOption(
      "--storage <url>",
      "redis://HOST:PORT, lmdb:DIR, dynamodb:TABLE, s3://BUCKET or memory:",
    )
    .addOption(numberOption("--port <n>", "TCP port; of a cluster the first one").default(6390))
    .option("--host <address>", "another address than 127.0.0.1; needs --users")
    .option("--socket <path>", "a Unix socket instead of TCP")
    .addOption(numberOption("--replicas <n>", "a local cluster of so many processes").default(1))
    .addOption(numberOption("--managers <n>", "fault managers of a cluster").default(1))
    .addOption(
      numberOption("--admin-port <n>", "HTTP /healthz, /readyz, /metrics; of a cluster the first"),
    )
    .option("--users <file>", "who may do what: user NAME on >password +@client")
    .option("--tls-cert <file>", "PEM; with --tls-key: only TLS is spoken")
    .option("--tls-key <file>", "PEM")
    .option("--tls-ca <file>", "who signed the other replicas' certificates")
    .option("--peer-ca <file>", "whose certificate this authority signed is a peer")
    .option("--peer-user <name>", "how replicas log in at each other")
    .option("--peer-password-file <file>", "likewise")
    .action(async (flags: ServeFlags) => {
      const { serve } = await import("./serve.ts");
      setExitCode(await serve(flags));
    });
}
