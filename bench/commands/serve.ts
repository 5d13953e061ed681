/** @module `aft-bench serve`: one AFT replica in the foreground. */
import { resolve } from "node:path";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { serveReplica } from "#shim/aft/server/serve.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";

/** Serves until it is asked to stop; the exit code. */
export async function serve(flags: {
  readonly storage: string;
  readonly port: number;
  readonly socket?: string;
  readonly adminPort?: number;
}): Promise<number> {
  const { storage, port, socket, adminPort } = flags;
  const password = process.env["AFT_BENCH_PASSWORD"];
  const serving = await serveReplica({
    storage: { target: parseStorageUrl(storage) },
    listen: socket === undefined ? { host: "127.0.0.1", port } : { path: resolve(socket) },
    ...(adminPort !== undefined && { adminPort }),
    ...(password !== undefined && { password }),
  });
  const admin =
    serving.adminAddress === undefined ? "" : `, admin on http://${serving.adminAddress}`;
  console.log(
    `AFT over ${storage} on ${serving.address}${admin}; ${serving.recovered} transactions recovered`,
  );
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  await new Promise((finished) => {
    stop.signal.addEventListener("abort", finished);
  });
  stop.dispose();
  await serving.close();
  return exitCodes.ok;
}
