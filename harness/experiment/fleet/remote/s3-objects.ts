/** @module The parts' meeting place in S3, or in whatever else speaks its API. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Clock } from "#kit/clock.ts";
import type { ClockSample } from "./clock-offset.ts";
import { ObjectStoreError } from "./errors.ts";
import type { ObjectsAddress, ObjectStore } from "./objects.ts";

type S3Address = Extract<ObjectsAddress, { kind: "s3" }>;

/** Uploads of a long part are large; what takes longer is tried again. */
const requestTimeoutMs = 120_000;

export function openS3Objects(address: S3Address, clock: Clock): ObjectStore {
  return new S3Objects(address, clock);
}

function createClient({ region, endpoint }: S3Address): S3Client {
  // Emulators want some credentials and look at none; whoever set their own means them.
  const own = (process.env["AWS_ACCESS_KEY_ID"] ?? "") !== "";
  return new S3Client({
    region,
    maxAttempts: 5,
    requestHandler: { requestTimeout: requestTimeoutMs, connectionTimeout: 5_000 },
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: true,
      ...(!own && { credentials: { accessKeyId: "local", secretAccessKey: "local" } }),
    }),
  });
}

class S3Objects implements ObjectStore {
  readonly place: string;
  readonly #client: S3Client;
  readonly #clock: Clock;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(address: S3Address, clock: Clock) {
    const { bucket, prefix, endpoint } = address;
    this.#client = createClient(address);
    this.#clock = clock;
    this.#bucket = bucket;
    this.#prefix = `${prefix}/`;
    const at = endpoint === undefined ? "" : ` at ${endpoint}`;
    this.place = `s3://${bucket}/${prefix}${at}`;
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.#guarded("read", name, async () => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand(this.#object(name)));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  put(name: string, content: Uint8Array | string): Promise<void> {
    return this.#guarded("write", name, async () => {
      await this.#client.send(new PutObjectCommand({ ...this.#object(name), Body: content }));
    });
  }

  list(folder: string): Promise<string[]> {
    return this.#guarded("list", folder, async () => {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: `${this.#prefix}${folder}/`,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
        );
        for (const { Key } of page.Contents ?? [])
          if (Key !== undefined) names.push(Key.slice(this.#prefix.length));
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return names.toSorted();
    });
  }

  /** By the Date header of an answer, whatever the answer. */
  time(): Promise<ClockSample | undefined> {
    return this.#guarded("ask the time of", "", async () => {
      const command = new HeadObjectCommand(this.#object("time"));
      let sample: ClockSample | undefined;
      command.middlewareStack.add(
        (next) => async (args) => {
          const sentMs = this.#clock.nowMs();
          const result = await next(args);
          const receivedMs = this.#clock.nowMs();
          const serverMs = Date.parse(dateOf(result.response));
          if (Number.isFinite(serverMs)) sample = { sentMs, receivedMs, serverMs };
          return result;
        },
        { step: "deserialize", priority: "low", name: "server-time" },
      );
      try {
        await this.#client.send(command);
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
      }
      return sample;
    });
  }

  close(): void {
    this.#client.destroy();
  }

  #object(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }

  async #guarded<T>(action: string, name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new ObjectStoreError(action, `${name} in ${this.place}`, { cause });
    }
  }
}

function dateOf(response: unknown): string {
  const { headers = {} } = (response ?? {}) as { headers?: Record<string, string> };
  return headers["date"] ?? "";
}
