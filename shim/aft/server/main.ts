/**
 * @module Process entry of a replica: configuration from the environment (`config.ts`), one JSON line on
 * stdout when it serves, exit 0 after SIGTERM or when the parent is gone. SIGHUP: reads users and
 * certificates again.
 */
import { ConfigError, describeError } from "#kit/errors.ts";
import { readReplicaConfig } from "./config.ts";
import { serveReplica } from "./serve.ts";

try {
  const { config, secrets } = readReplicaConfig(process.env);
  const serving = await serveReplica(config, secrets);
  const stop = (): void => {
    serving.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${describeError(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent stops its replicas in order.
  });
  process.on("SIGHUP", () => {
    try {
      serving.reload();
    } catch (error) {
      process.stderr.write(`not reloaded, the old ones stay: ${describeError(error)}\n`);
    }
  });
  process.stdin.on("end", stop);
  process.stdin.on("error", stop);
  process.stdin.resume();
  const { address, adminAddress, recovered } = serving;
  process.stdout.write(`${JSON.stringify({ ready: true, address, adminAddress, recovered })}\n`);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}
