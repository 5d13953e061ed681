/** @module The AWS emulators from npm as storage services: DynamoDB (dynalite) and S3 (fauxqs). */
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createTable } from "#shim/storage/dynamodb/engine.ts";
import type { StorageTarget } from "#shim/storage/target.ts";
import { type Child, ServiceStartError, startModule } from "./child.ts";
import type { StorageService } from "./port.ts";

const modulePath = fileURLToPath(import.meta.resolve("#harness/services/aws-emulator-process.ts"));
const region = "us-east-1";

/** DynamoDB's API in memory, with one empty table. */
export async function startDynalite(): Promise<StorageService> {
  const child = await startModule({ name: "dynalite", modulePath, args: ["dynalite"] });
  return prepared(child, "dynamodb", async (endpoint) => {
    const target = { engine: "dynamodb", table: "aft-bench", region, endpoint } as const;
    await createTable(target);
    return target;
  });
}

/** S3's API in memory, with one empty bucket. */
export async function startS3(): Promise<StorageService> {
  const child = await startModule({ name: "fauxqs", modulePath, args: ["fauxqs"] });
  return prepared(child, "s3", async (endpoint) => {
    const target = { engine: "s3", bucket: "aft-bench", region, endpoint } as const;
    const client = new S3Client({
      region,
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    await client.send(new CreateBucketCommand({ Bucket: target.bucket }));
    client.destroy();
    return target;
  });
}

async function prepared(
  child: Child,
  name: "dynamodb" | "s3",
  prepare: (endpoint: string) => Promise<StorageTarget>,
): Promise<StorageService> {
  try {
    const { endpoint } = child.ready;
    if (typeof endpoint !== "string") throw new ServiceStartError(name, "it gave no endpoint");
    const target = await prepare(endpoint);
    return {
      name,
      target,
      pids: [child.pid],
      description: {
        server: name === "dynamodb" ? "dynalite 4.0.0" : "fauxqs 2.4.1",
        note: "an emulator of the API in memory, not the service",
        endpoint,
      },
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
