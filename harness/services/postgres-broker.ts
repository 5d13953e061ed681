/** @module The broker that holds PostgreSQL transactions between functions, as a child process. */
import { fileURLToPath } from "node:url";
import type { StorageSpec } from "#shim/storage/target.ts";
import { ServiceStartError, startModule } from "./child.ts";
import type { Service } from "./port.ts";

export interface BrokerService extends Service {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
}

const modulePath = fileURLToPath(import.meta.resolve("#shim/postgres/held/broker.ts"));

/** Rejects with `ServiceStartError`. */
export async function startPostgresBroker(
  storage: StorageSpec,
  options: { readonly idleInTransactionMs?: number } = {},
): Promise<BrokerService> {
  const child = await startModule({
    name: "the broker",
    modulePath,
    environment: { AFT_BENCH_BROKER: JSON.stringify({ storage, maxConnections: 200, ...options }) },
  });
  const { endpoint } = child.ready;
  if (typeof endpoint !== "string") {
    await child.stop();
    throw new ServiceStartError("the broker", "it gave no endpoint");
  }
  return {
    name: "postgres-broker",
    endpoint,
    pids: [child.pid],
    description: { kind: "holds transactions between functions", transport: "JSON over HTTP" },
    stop: () => child.stop(),
  };
}
