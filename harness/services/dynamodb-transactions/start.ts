/** @module DynamoDB's transactions for an emulator that has none, as a service of the suite. */
import { fileURLToPath } from "node:url";
import type { StorageTarget } from "#shim/storage/target.ts";
import { ServiceStartError, startModule } from "../child.ts";
import type { StorageService } from "../port.ts";

const modulePath = fileURLToPath(
  import.meta.resolve("#harness/services/dynamodb-transactions/process.ts"),
);

type DynamodbTarget = Extract<StorageTarget, { engine: "dynamodb" }>;

/** The same table by another endpoint, which knows transactions. `target.endpoint` is the emulator's. */
export async function startTransactionFront(target: DynamodbTarget): Promise<StorageService> {
  const { endpoint: upstream } = target;
  if (upstream === undefined) throw new RangeError("AWS has transactions itself");
  const name = "dynamodb transactions";
  const child = await startModule({ name, modulePath, args: [upstream] });
  const { endpoint } = child.ready;
  if (typeof endpoint !== "string") {
    await child.stop();
    throw new ServiceStartError(name, "it gave no endpoint");
  }
  return {
    name: "dynamodb-transactions",
    target: { ...target, endpoint },
    pids: [child.pid],
    description: {
      server: "aft-bench's own transactions before dynalite",
      note: "an emulator of the API in memory, not the service",
      endpoint,
    },
    stop: () => child.stop(),
  };
}
