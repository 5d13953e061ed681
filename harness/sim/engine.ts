/**
 * @module A storage engine over the simulated store, as one process sees it: the `StorageEngine` port with
 * latencies, and with everything services do to their clients.
 *
 *   throttled   refused; nothing happened (`effect: "none"`)
 *   lost        the request never arrived; the client cannot know (`effect: "unknown"`)
 *   unanswered  it happened, the answer was lost
 *   late        the client was told of a time-out, and then it happened
 *   repeated    the client's library sent it again although it had happened
 * A batch that is not atomic may happen in part, in every case but the first.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Prng } from "#kit/prng.ts";
import {
  StorageClosedError,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "#shim/storage/errors.ts";
import type {
  ListCursor,
  ListOptions,
  ListPage,
  SealedWrite,
  SealOutcome,
  StorageCapabilities,
  StorageEngine,
  StorageEntry,
  StorageKey,
} from "#shim/storage/port.ts";
import { sealInTwoSteps } from "#shim/storage/seal-in-two-steps.ts";
import type { SimLoop } from "./loop.ts";
import type { SimProcess } from "./process.ts";
import type { SimStore } from "./store.ts";
import { digestPair, digestText } from "./trace.ts";

export interface EngineSettings {
  readonly conditionalPut: boolean;
  /** `putSealed` is one request. */
  readonly orderedPipeline: boolean;
  readonly atomicMultiPut: boolean;
  readonly maxBatch: number;
  /** Of one request, one way: least, and the mean of what is added. */
  readonly baseUs: number;
  readonly jitterUs: number;
  /** 0: consistent reads. */
  readonly lagUs: number;
}

/** Shares of requests; changes while the simulation runs. */
export interface StorageTrouble {
  throttled: number;
  lost: number;
  unanswered: number;
  late: number;
  repeated: number;
  /** Of requests that take twenty times as long. */
  slow: number;
}

type Fate = "done" | Exclude<keyof StorageTrouble, "slow">;

export const noStorageTrouble: Readonly<StorageTrouble> = {
  throttled: 0,
  lost: 0,
  unanswered: 0,
  late: 0,
  repeated: 0,
  slow: 0,
};

/** After this a client gives a request up. */
const timeoutUs = 400_000;
/** How much later than that it may still happen. */
const latestUs = 1_500_000;
const slowFactor = 20;
const owner = 0;
const defaultPage = 1_000;
const maxValueBytes = 400 * 1_024;
const maxKeyBytes = 2_048;

export interface EngineOptions {
  readonly loop: SimLoop;
  readonly store: SimStore;
  readonly process: SimProcess;
  readonly prng: Prng;
  readonly settings: EngineSettings;
  readonly trouble: Readonly<StorageTrouble>;
  /** Whether requests of this process reach the service now. */
  readonly isReachable?: () => boolean;
}

interface Request<T> {
  readonly operation: StorageOperation;
  readonly key?: StorageKey | undefined;
  readonly digest: number;
  /** Happens at the service. `partly`: only some of it. */
  readonly work: (partly: boolean) => T;
  readonly isWrite: boolean;
}

export class SimEngine implements StorageEngine {
  readonly name = "simulated";
  readonly capabilities: StorageCapabilities;
  readonly #options: EngineOptions;
  readonly #store: SimStore;
  readonly #prng: Prng;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#prng = options.prng;
    const { conditionalPut, orderedPipeline, atomicMultiPut, maxBatch, lagUs } = options.settings;
    this.capabilities = {
      maxBatch,
      maxValueBytes,
      maxKeyBytes,
      atomicMultiPut,
      orderedPipeline,
      conditionalPut,
      consistentRead: lagUs === 0,
      transactions: false,
      orderedList: true,
      shared: true,
      durability: "replicated",
      durabilityNote: "simulated: survives every process",
    };
  }

  get(key: StorageKey): Promise<Bytes | undefined> {
    const work = (): Bytes | undefined => this.#store.read(key);
    return this.#send({ operation: "get", key, digest: digestText(key), work, isWrite: false });
  }

  async multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    const parts = this.#batches(keys).map((batch) =>
      this.#send({
        operation: "multiGet",
        key: batch[0],
        digest: digestAll(batch),
        work: () => batch.map((key) => this.#store.read(key)),
        isWrite: false,
      }),
    );
    return (await Promise.all(parts)).flat();
  }

  put(key: StorageKey, value: Bytes): Promise<void> {
    return this.#putSome("put", [{ key, value }]);
  }

  async multiPut(entries: readonly StorageEntry[]): Promise<void> {
    const { atomicMultiPut } = this.capabilities;
    const batches = atomicMultiPut && entries.length > 0 ? [entries] : this.#batches(entries);
    await Promise.all(batches.map((batch) => this.#putSome("multiPut", batch)));
  }

  async putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    if (!this.capabilities.conditionalPut) {
      // As engines do whose service cannot: two steps, and others in between.
      if ((await this.get(key)) !== undefined) return false;
      await this.#putSome("putIfAbsent", [{ key, value }]);
      return true;
    }
    const tooLarge = this.#tooLarge("putIfAbsent", [{ key, value }]);
    if (tooLarge !== undefined) throw tooLarge;
    return this.#send({
      operation: "putIfAbsent",
      key,
      digest: digestPair(digestText(key), value.length),
      work: () => this.#store.putIfAbsent(key, value),
      isWrite: true,
    });
  }

  async putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    if (groups.length === 0) return [];
    if (!this.capabilities.orderedPipeline) return sealInTwoSteps(this, groups);
    try {
      const good = groups.filter(
        (group) => this.#tooLarge("putSealed", entriesOf(group)) === undefined,
      );
      const outcomes = await this.#send({
        operation: "putSealed",
        key: groups[0]?.seal.key,
        digest: digestAll(groups.map(({ seal }) => seal.key)),
        work: () => new Map(good.map((group) => [group, this.#sealNow(group)])),
        isWrite: true,
      });
      return groups.map((group) => {
        const error = this.#tooLarge("putSealed", entriesOf(group));
        return outcomes.get(group) ?? failedBy(error ?? this.#closedError("putSealed"));
      });
    } catch (error) {
      if (!(error instanceof StorageUnavailableError || error instanceof StorageClosedError))
        throw error;
      return groups.map(() => ({ kind: "failed", error }));
    }
  }

  delete(key: StorageKey): Promise<void> {
    return this.multiDelete([key]);
  }

  async multiDelete(keys: readonly StorageKey[]): Promise<void> {
    const parts = this.#batches(keys).map((batch) =>
      this.#send({
        operation: "multiDelete",
        key: batch[0],
        digest: digestAll(batch),
        work: (partly) => {
          for (const key of batch) if (!partly || this.#prng.next() < 0.5) this.#store.delete(key);
        },
        isWrite: true,
      }),
    );
    await Promise.all(parts);
  }

  list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    const { cursor, after, limit = defaultPage } = options;
    const work = (): ListPage => {
      const all = this.#store.names(prefix, cursor ?? after);
      const keys = all.slice(0, limit);
      const last = keys.at(-1);
      const more = all.length > keys.length && last !== undefined;
      return { keys, ...(more && { cursor: last as string as ListCursor }) };
    };
    return this.#send({ operation: "list", digest: digestText(prefix), work, isWrite: false });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #putSome(operation: StorageOperation, entries: readonly StorageEntry[]): Promise<void> {
    const tooLarge = this.#tooLarge(operation, entries);
    if (tooLarge !== undefined) return Promise.reject(tooLarge);
    const isWhole = this.capabilities.atomicMultiPut;
    return this.#send({
      operation,
      key: entries[0]?.key,
      digest: digestAll(entries.map(({ key }) => key)),
      work: (partly) => {
        for (const { key, value } of entries)
          if (isWhole || !partly || this.#prng.next() < 0.5) this.#store.put(key, value);
      },
      isWrite: true,
    });
  }

  /** At one instant, as an engine with `orderedPipeline` does. */
  #sealNow({ entries, seal }: SealedWrite): SealOutcome {
    for (const { key, value } of entries) this.#store.put(key, value);
    if (this.capabilities.conditionalPut)
      return this.#store.putIfAbsent(seal.key, seal.value)
        ? { kind: "sealed" }
        : { kind: "alreadySealed" };
    if (this.#store.has(seal.key)) return { kind: "alreadySealed" };
    this.#store.put(seal.key, seal.value);
    return { kind: "sealed" };
  }

  #send<T>(request: Request<T>): Promise<T> {
    const { operation, key, digest, work, isWrite } = request;
    if (this.#closed) return Promise.reject(this.#closedError(operation, key));
    if (key !== undefined && key.length > maxKeyBytes)
      return Promise.reject(this.#tooLongError(operation, key));
    const { loop, process } = this.#options;
    const isReachable = this.#options.isReachable?.() ?? true;
    const fate = isReachable ? this.#drawFate(isWrite) : "lost";
    const backUs = this.#latencyUs();
    if (fate === "done") return this.#perform(request, backUs);
    const atStore = { kind: "storage", owner, digest, plain: true } as const;
    return new Promise((resolve, reject) => {
      const answer = (delayUs: number, settle: () => void): void => {
        process.later({ kind: "storage", delayUs, digest }, settle);
      };
      const fail = (delayUs: number, effect: "none" | "unknown", cause: string): void => {
        answer(delayUs, () => {
          const details = { engine: this.name, operation, key, effect, cause };
          reject(new StorageUnavailableError(details));
        });
      };
      const effect = isWrite ? "unknown" : "none";
      switch (fate) {
        case "throttled":
          fail(backUs, "none", "too many requests");
          return;
        case "lost":
          fail(timeoutUs, effect, "no answer in time");
          return;
        case "late": {
          fail(timeoutUs, effect, "no answer in time");
          const lateUs = this.#prng.nextInt(latestUs);
          loop.after(timeoutUs + lateUs, atStore, () => void work(true));
          return;
        }
        case "unanswered":
        case "repeated":
          loop.after(this.#latencyUs(), atStore, () => {
            if (fate === "unanswered") {
              work(true);
              fail(timeoutUs, effect, "no answer in time");
              return;
            }
            const first = work(false);
            const result = fate === "repeated" && isWrite ? work(false) : first;
            answer(backUs, () => {
              resolve(result);
            });
          });
      }
    });
  }

  /** Nothing goes wrong, as with nearly all: as few closures as that takes. */
  #perform<T>({ digest, work }: Request<T>, backUs: number): Promise<T> {
    const { loop, process } = this.#options;
    return new Promise((resolve) => {
      const atStore = { kind: "storage", owner, digest, plain: true } as const;
      loop.after(this.#latencyUs(), atStore, () => {
        const result = work(false);
        process.later({ kind: "storage", delayUs: backUs, digest }, () => {
          resolve(result);
        });
      });
    });
  }

  #drawFate(isWrite: boolean): Fate {
    const { throttled, lost, unanswered, late, repeated } = this.#options.trouble;
    if (throttled + lost + unanswered + late + repeated === 0) return "done";
    let draw = this.#prng.next();
    if ((draw -= throttled) < 0) return "throttled";
    if ((draw -= lost) < 0) return "lost";
    if (!isWrite) return "done";
    if ((draw -= unanswered) < 0) return "unanswered";
    if ((draw -= late) < 0) return "late";
    return draw - repeated < 0 ? "repeated" : "done";
  }

  #latencyUs(): number {
    const { baseUs, jitterUs } = this.#options.settings;
    const { slow } = this.#options.trouble;
    const usual = baseUs - Math.log(1 - this.#prng.next()) * jitterUs;
    return slow > 0 && this.#prng.next() < slow ? usual * slowFactor : usual;
  }

  #batches<T>(items: readonly T[]): (readonly T[])[] {
    const { maxBatch } = this.capabilities;
    if (items.length === 0) return [];
    if (items.length <= maxBatch) return [items];
    const batches: (readonly T[])[] = [];
    for (let start = 0; start < items.length; start += maxBatch)
      batches.push(items.slice(start, start + maxBatch));
    return batches;
  }

  #tooLarge(
    operation: StorageOperation,
    entries: readonly StorageEntry[],
  ): StorageLimitError | undefined {
    for (const { key, value } of entries) {
      if (key.length > maxKeyBytes) return this.#tooLongError(operation, key);
      if (value.length <= maxValueBytes) continue;
      const limit = `a value may have ${maxValueBytes} bytes`;
      return new StorageLimitError(limit, { engine: this.name, operation, key });
    }
    return undefined;
  }

  #tooLongError(operation: StorageOperation, key: StorageKey): StorageLimitError {
    const limit = `a key may have ${maxKeyBytes} bytes`;
    return new StorageLimitError(limit, { engine: this.name, operation, key });
  }

  #closedError(operation: StorageOperation, key?: StorageKey): StorageClosedError {
    return new StorageClosedError({ engine: this.name, operation, key, effect: "none" });
  }
}

function entriesOf({ entries, seal }: SealedWrite): readonly StorageEntry[] {
  return [...entries, seal];
}

function failedBy(error: StorageLimitError | StorageClosedError): SealOutcome {
  return { kind: "failed", error };
}

function digestAll(keys: readonly string[]): number {
  let digest = keys.length;
  for (const key of keys) digest = digestPair(digest, digestText(key));
  return digest;
}
