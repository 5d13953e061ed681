/**
 * @module S3 through the AWS SDK: one object per value, deletes in batches, listings page by page.
 *
 * Whether `If-None-Match` is honoured differs (S3 does, some servers ignore it), so it is probed when
 * the engine is opened and declared as `conditionalPut`; without it `putIfAbsent` looks before it
 * puts and may race.
 */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Bytes } from "#kit/bytes.ts";
import {
  StorageClosedError,
  StorageError,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "../errors.ts";
import {
  type ListCursor,
  type ListOptions,
  type ListPage,
  type SealedWrite,
  type SealOutcome,
  type StorageCapabilities,
  type StorageEngine,
  type StorageEntry,
  type StorageKey,
  storageKey,
} from "../port.ts";
import { sealInTwoSteps } from "../seal-in-two-steps.ts";
import type { StorageTarget } from "../target.ts";

export type S3Target = Extract<StorageTarget, { engine: "s3" }>;

const deleteBatch = 1_000;
/** Requests of one batch under way at once. */
const parallelRequests = 32;

const capabilities: StorageCapabilities = {
  maxBatch: deleteBatch,
  // Larger ones need multipart uploads, which are not atomic in the same way.
  maxValueBytes: 64 * 1_048_576,
  maxKeyBytes: 1_024,
  atomicMultiPut: false,
  orderedPipeline: false,
  conditionalPut: true,
  consistentRead: true,
  transactions: false,
  // Names are escaped, and the order is that of the escaped ones.
  orderedList: false,
  shared: true,
  durability: "replicated",
  durabilityNote: "S3's own; a local server's is its process's",
};

/** Opens a bucket that exists. Rejects with `StorageUnavailableError`. */
export async function openS3Engine(target: S3Target): Promise<StorageEngine> {
  const client = createClient(target);
  try {
    const conditionalPut = await honoursIfNoneMatch(client, target.bucket);
    return new S3Engine(client, target.bucket, { ...capabilities, conditionalPut });
  } catch (cause) {
    client.destroy();
    throw new StorageUnavailableError({ engine: "s3", operation: "open", effect: "none", cause });
  }
}

function createClient({ region, endpoint }: S3Target): S3Client {
  return new S3Client({
    region,
    maxAttempts: 3,
    requestHandler: { requestTimeout: 10_000, connectionTimeout: 3_000 },
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
  });
}

/** Puts an object twice, the second time only if absent: the second must be refused. */
async function honoursIfNoneMatch(client: S3Client, bucket: string): Promise<boolean> {
  const name = { Bucket: bucket, Key: "aft-bench/if-none-match-probe" };
  await client.send(new PutObjectCommand({ ...name, Body: new Uint8Array([1]) }));
  try {
    await client.send(
      new PutObjectCommand({ ...name, Body: new Uint8Array([2]), IfNoneMatch: "*" }),
    );
    return false;
  } catch (error) {
    if (isPreconditionFailed(error)) return true;
    throw error;
  }
}

class S3Engine implements StorageEngine {
  readonly name = "s3";
  readonly capabilities: StorageCapabilities;
  readonly #client: S3Client;
  readonly #bucket: string;
  #closed = false;

  constructor(client: S3Client, bucket: string, declared: StorageCapabilities) {
    this.#client = client;
    this.#bucket = bucket;
    this.capabilities = declared;
  }

  get(key: StorageKey): Promise<Bytes | undefined> {
    return this.#run("get", { key }, async () => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand(this.#object(key)));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    return inParallel(keys, (key) => this.get(key));
  }

  put(key: StorageKey, value: Bytes): Promise<void> {
    return this.#run("put", { key, value }, async () => {
      await this.#client.send(new PutObjectCommand({ ...this.#object(key), Body: value }));
    });
  }

  async multiPut(entries: readonly StorageEntry[]): Promise<void> {
    for (const entry of entries) this.#check("multiPut", entry);
    await inParallel(entries, ({ key, value }) => this.put(key, value));
  }

  putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    return this.#run("putIfAbsent", { key, value }, async () => {
      if (!this.capabilities.conditionalPut && (await this.#exists(key))) return false;
      try {
        await this.#client.send(
          new PutObjectCommand({ ...this.#object(key), Body: value, IfNoneMatch: "*" }),
        );
        return true;
      } catch (error) {
        if (isPreconditionFailed(error)) return false;
        throw error;
      }
    });
  }

  putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    return sealInTwoSteps(this, groups);
  }

  delete(key: StorageKey): Promise<void> {
    return this.#run("delete", { key }, async () => {
      await this.#client.send(new DeleteObjectCommand(this.#object(key)));
    });
  }

  async multiDelete(keys: readonly StorageKey[]): Promise<void> {
    for (let start = 0; start < keys.length; start += deleteBatch) {
      const part = keys.slice(start, start + deleteBatch);
      const [key = storageKey("")] = part;
      await this.#run("multiDelete", { key }, async () => {
        const { Errors = [] } = await this.#client.send(
          new DeleteObjectsCommand({
            Bucket: this.#bucket,
            Delete: { Objects: part.map((name) => ({ Key: encodeKey(name) })), Quiet: true },
          }),
        );
        const [first] = Errors;
        if (first !== undefined)
          throw new Error(
            `${Errors.length} objects were not deleted, first ${first.Key}: ${first.Message}`,
          );
      });
    }
  }

  list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    const after = options.cursor ?? options.after;
    return this.#run("list", { key: storageKey(prefix) }, async () => {
      const { Contents = [], IsTruncated } = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: encodeKey(prefix),
          MaxKeys: Math.min(options.limit ?? 1_000, 1_000),
          ...(after !== undefined && { StartAfter: encodeKey(after) }),
        }),
      );
      const keys = Contents.map(({ Key = "" }) => storageKey(decodeKey(Key)));
      const last = keys.at(-1);
      const more = IsTruncated === true && last !== undefined;
      return { keys, ...(more && { cursor: last as string as ListCursor }) };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#client.destroy();
    return Promise.resolve();
  }

  async #exists(key: StorageKey): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand(this.#object(key)));
      return true;
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)
        return false;
      throw error;
    }
  }

  #object(key: StorageKey): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: encodeKey(key) };
  }

  async #run<T>(
    operation: StorageOperation,
    item: { readonly key: StorageKey; readonly value?: Bytes },
    work: () => Promise<T>,
  ): Promise<T> {
    this.#check(operation, item);
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      const reading = operation === "get" || operation === "list";
      const effect = reading ? "none" : "unknown";
      const { key } = item;
      throw new StorageUnavailableError({ engine: this.name, operation, key, effect, cause });
    }
  }

  #check(
    operation: StorageOperation,
    { key, value }: { readonly key: StorageKey; readonly value?: Bytes },
  ): void {
    const engine = this.name;
    if (this.#closed) throw new StorageClosedError({ engine, operation, key, effect: "none" });
    if (Buffer.byteLength(encodeKey(key)) > capabilities.maxKeyBytes) {
      const limit = `a key may have ${capabilities.maxKeyBytes} bytes`;
      throw new StorageLimitError(limit, { engine, operation, key });
    }
    if ((value?.length ?? 0) > capabilities.maxValueBytes) {
      const limit = `a value may have ${capabilities.maxValueBytes} bytes`;
      throw new StorageLimitError(limit, { engine, operation, key });
    }
  }
}

/** S3 and XML forbid or mangle some characters; outside a plain set bytes become `~xx`. */
function encodeKey(key: string): string {
  if (/^[A-Za-z0-9._/-]*$/.test(key)) return key;
  let encoded = "";
  for (const byte of Buffer.from(key)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._/-]/.test(character)
      ? character
      : `~${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded;
}

function decodeKey(encoded: string): string {
  if (!encoded.includes("~")) return encoded;
  const bytes: number[] = [];
  for (let index = 0; index < encoded.length; index += 1) {
    if (encoded[index] === "~") {
      bytes.push(Number.parseInt(encoded.slice(index + 1, index + 3), 16));
      index += 2;
    } else {
      bytes.push(encoded.charCodeAt(index));
    }
  }
  return Buffer.from(bytes).toString();
}

function isPreconditionFailed(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  const status = error.$metadata.httpStatusCode;
  return status === 412 || status === 409;
}

/** In order of the items, so many at a time; rejects with the first failure, after all have ended. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += parallelRequests) {
    const part = items.slice(start, start + parallelRequests);
    const settled = await Promise.allSettled(part.map(work));
    for (const outcome of settled) {
      if (outcome.status === "rejected") throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}
