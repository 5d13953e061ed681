/**
 * @module What a storage service holds: shared by all processes, untouched by their crashes.
 *
 * Where reads are only eventually consistent, an unconditional write shows after a while: until then
 * each read sees the old or the new value, whichever way the service happens to answer.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Prng } from "#kit/prng.ts";
import type { StorageKey } from "#shim/storage/port.ts";

interface StoredObject {
  value: Bytes;
  /** Until then a read may still see `before`. */
  unsettledUntilUs: number;
  before: Bytes | undefined;
}

/** Who watches over what is written, from outside. */
export interface StoreWatcher {
  /** Before it takes effect. */
  onPut(name: StorageKey, value: Bytes): void;
  onDelete(name: StorageKey): void;
}

export class SimStore {
  readonly #objects = new Map<StorageKey, StoredObject>();
  readonly #nowUs: () => number;
  readonly #prng: Prng;
  /** 0: an acknowledged write is seen by every later read. */
  readonly #lagUs: number;
  watcher: StoreWatcher | undefined;
  #settledAtUs = 0;

  constructor(options: { nowUs: () => number; prng: Prng; lagUs: number }) {
    this.#nowUs = options.nowUs;
    this.#prng = options.prng;
    this.#lagUs = options.lagUs;
  }

  /** As a reader sees it. */
  read(name: StorageKey): Bytes | undefined {
    const stored = this.#objects.get(name);
    if (stored === undefined) return undefined;
    const isUnsettled = stored.unsettledUntilUs > this.#nowUs();
    return isUnsettled && this.#prng.next() < 0.5 ? stored.before : stored.value;
  }

  /** Whether every write so far is seen by every read. */
  get isSettled(): boolean {
    return this.#nowUs() >= this.#settledAtUs;
  }

  /** As it is. */
  truth(name: StorageKey): Bytes | undefined {
    return this.#objects.get(name)?.value;
  }

  has(name: StorageKey): boolean {
    return this.#objects.has(name);
  }

  put(name: StorageKey, value: Bytes): void {
    this.watcher?.onPut(name, value);
    const before = this.#objects.get(name)?.value;
    const lagUs = this.#lagUs > 0 ? this.#prng.nextInt(this.#lagUs) : 0;
    const unsettledUntilUs = this.#nowUs() + lagUs;
    this.#settledAtUs = Math.max(this.#settledAtUs, unsettledUntilUs);
    this.#objects.set(name, { value, before, unsettledUntilUs });
  }

  /** Decided and seen at once. */
  putIfAbsent(name: StorageKey, value: Bytes): boolean {
    if (this.#objects.has(name)) return false;
    this.watcher?.onPut(name, value);
    this.#objects.set(name, { value, before: undefined, unsettledUntilUs: 0 });
    return true;
  }

  delete(name: StorageKey): void {
    if (!this.#objects.has(name)) return;
    this.watcher?.onDelete(name);
    this.#objects.delete(name);
  }

  /** In ascending order, after a name. */
  names(prefix: string, after = ""): StorageKey[] {
    const found: StorageKey[] = [];
    for (const name of this.#objects.keys())
      if (name > after && name.startsWith(prefix)) found.push(name);
    return found.toSorted();
  }

  clear(): void {
    this.#objects.clear();
  }
}
