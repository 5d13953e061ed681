/**
 * @module Process entry of a replica: configuration from the environment (`config.ts`), one JSON line on
 * stdout when it serves, exit 0 at its end (`lifetime.ts`). SIGHUP: reads users and certificates again.
 */
import { ConfigError, describeError } from "#kit/errors.ts";
import { readReplicaConfig } from "./config.ts";
import { endWhenAsked } from "./lifetime.ts";
import { serveReplica } from "./serve.ts";

try {
  const { config, secrets } = readReplicaConfig(process.env);
  const serving = await serveReplica(config, secrets);
  endWhenAsked(() => serving.close(), { standalone: process.env["AFT_STANDALONE"] === "1" });
  process.on("SIGHUP", () => {
    try {
      serving.reload();
    } catch (error) {
      process.stderr.write(`not reloaded, the old ones stay: ${describeError(error)}\n`);
    }
  });
  const { address, adminAddress, recovered } = serving;
  process.stdout.write(`${JSON.stringify({ ready: true, address, adminAddress, recovered })}\n`);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}
