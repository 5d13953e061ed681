/**
 * @module Names of stored objects that may be deleted later, thousands of them for minutes.
 *
 * Kept as text in blocks: an object for each would be most of what the process' memory management
 * looks at, and a fifth of a loaded replica's time.
 */
import { assert } from "#kit/assert.ts";
import { type StorageKey, storageKey } from "#shim/storage/port.ts";

const separator = "\n";
const namesPerBlock = 64;

interface Block {
  readonly untilMs: number;
  readonly names: string;
}

/** Names that fall due in the order in which they came. */
export class RetainedNames {
  #blocks: Block[] = [];
  /** Of the block being filled, all due at the same time. */
  #filling: StorageKey[] = [];
  #fillingUntilMs = 0;

  push(name: StorageKey, untilMs: number): void {
    assert(!name.includes(separator), "a stored name is one line");
    if (this.#filling.length === namesPerBlock || untilMs !== this.#fillingUntilMs) this.#seal();
    this.#fillingUntilMs = untilMs;
    this.#filling.push(name);
  }

  /** When the first is due; infinite without any. */
  get nextDueMs(): number {
    const [first] = this.#blocks;
    if (first !== undefined) return first.untilMs;
    return this.#filling.length > 0 ? this.#fillingUntilMs : Infinity;
  }

  /** What is due now, with what to call once it needs to be kept no longer. */
  due(nowMs: number): { readonly names: readonly StorageKey[]; readonly drop: () => void } {
    if (this.#fillingUntilMs <= nowMs) this.#seal();
    let count = 0;
    while ((this.#blocks[count]?.untilMs ?? Infinity) <= nowMs) count += 1;
    const names = this.#blocks
      .slice(0, count)
      .flatMap((block) => block.names.split(separator).map(storageKey));
    return {
      names,
      drop: () => {
        this.#blocks = this.#blocks.slice(count);
      },
    };
  }

  #seal(): void {
    if (this.#filling.length === 0) return;
    this.#blocks.push({ untilMs: this.#fillingUntilMs, names: this.#filling.join(separator) });
    this.#filling = [];
  }
}
