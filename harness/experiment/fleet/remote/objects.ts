/**
 * @module Where the parts of a fleet meet: names and bytes below one prefix, in S3 or in a directory that
 * all can see.
 *
 * Readers see an object whole or not at all. Nothing is ever deleted here.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Clock } from "#kit/clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { writeAtomically } from "#harness/record/run-files.ts";
import type { ClockSample } from "./clock-offset.ts";
import { ObjectStoreError } from "./errors.ts";

export interface ObjectStore {
  /** As people name it. */
  readonly place: string;
  /** `undefined`: there is none of that name. Rejects with `ObjectStoreError`, as all do. */
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, content: Uint8Array | string): Promise<void>;
  /** Names below a folder, sorted. */
  list(folder: string): Promise<string[]>;
  /** What time it is there; `undefined`: nobody tells. */
  time(): Promise<ClockSample | undefined>;
  close(): void;
}

const hint = "s3://BUCKET/PREFIX?region=R (with &endpoint=URL elsewhere than AWS), or dir:PATH";

/** What an address of objects says. */
export type ObjectsAddress =
  | { readonly kind: "directory"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string;
      readonly endpoint?: string;
    };

/** @throws ConfigError */
export function parseObjectsAddress(text: string, where: string): ObjectsAddress {
  const refuse = (what: string): ConfigError => new ConfigError([{ where, what, hint }]);
  if (text.startsWith("dir:")) {
    const path = text.slice("dir:".length);
    if (path === "") throw refuse("names no directory");
    return { kind: "directory", path: resolve(path) };
  }
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})\/?([^?]*?)\/?(?:\?(.*))?$/.exec(text);
  if (found === null) throw refuse(`"${text}" is no place for objects`);
  const [, bucket = "", prefix = "", query = ""] = found;
  if (!/^[A-Za-z0-9!_.*'()/-]+$/.test(prefix))
    throw refuse("needs a prefix of its own: letters, digits, - _ . and /");
  const parameters = new URLSearchParams(query);
  const endpoint = parameters.get("endpoint");
  if (endpoint !== null && !/^https?:\/\/[^@]+$/.test(endpoint))
    throw refuse("its endpoint is no http(s) address without a password");
  return {
    kind: "s3",
    bucket,
    prefix,
    region: parameters.get("region") ?? "us-east-1",
    ...(endpoint !== null && { endpoint }),
  };
}

/** Opens a place; the bucket must exist, a directory is made. */
export async function openObjects(
  text: string,
  options: { readonly clock: Clock; readonly where?: string },
): Promise<ObjectStore> {
  const address = parseObjectsAddress(text, options.where ?? "objects");
  if (address.kind === "directory") return new Directory(address.path);
  const { openS3Objects } = await import("./s3-objects.ts");
  return openS3Objects(address, options.clock);
}

class Directory implements ObjectStore {
  readonly place: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.place = `dir:${path}`;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#path, name));
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      throw new ObjectStoreError("read", join(this.#path, name), { cause });
    }
  }

  async put(name: string, content: Uint8Array | string): Promise<void> {
    const path = join(this.#path, name);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeAtomically(path, content);
    } catch (cause) {
      throw new ObjectStoreError("write", path, { cause });
    }
  }

  async list(folder: string): Promise<string[]> {
    try {
      const entries = await readdir(join(this.#path, folder), {
        recursive: true,
        withFileTypes: true,
      });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.includes(".tmp-"))
        .map((entry) => join(entry.parentPath, entry.name).slice(this.#path.length + 1))
        .toSorted();
    } catch (cause) {
      if (isAbsent(cause)) return [];
      throw new ObjectStoreError("list", join(this.#path, folder), { cause });
    }
  }

  time(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): void {
    // Nothing is held open.
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
