/** @module What clients ask for: chains of one or two functions, drawn in advance. Pure. */
import type { Prng } from "#kit/prng.ts";
import { createZipf, type RankChooser } from "#workloads/keys/zipf.ts";
import type { PlannedOperation, PlannedRequest } from "#workloads/port.ts";
import type { SimConfig } from "./config.ts";

/** Of requests. */
const readOnlyShare = 0.15;
const writeOnlyShare = 0.2;
const singleShare = 0.3;
/** Of reads and writes that go together where there is more than one. */
const togetherShare = 0.3;
/** Of operations that repeat a key of the same request. */
const repeatShare = 0.25;

export function keyName(rank: number): string {
  return `k${rank}`;
}

/** Draws requests of one client, one after another. */
export class RequestPlanner {
  readonly #prng: Prng;
  readonly #config: SimConfig;
  readonly #zipf: RankChooser;
  #index = 0;

  constructor(prng: Prng, config: SimConfig) {
    this.#prng = prng;
    this.#config = config;
    this.#zipf = createZipf(config.keys, config.zipfTheta);
  }

  next(client: number): PlannedRequest {
    this.#index += 1;
    const draw = this.#prng.next();
    const does = { writes: draw >= readOnlyShare, reads: draw < 1 - writeOnlyShare };
    const length = this.#prng.next() < singleShare ? 1 : 2;
    const used: string[] = [];
    const functions = Array.from({ length }, () => this.#functionOf(used, does));
    const written = functions.flat().flatMap((operation) => {
      if (operation.kind === "write") return [operation.key];
      return operation.kind === "writeMany" ? operation.keys : [];
    });
    return {
      requestId: `c${client}-${this.#index}`,
      functions,
      writeSet: [...new Set(written)].toSorted(),
      payloadSeed: this.#index,
    };
  }

  #functionOf(used: string[], does: { writes: boolean; reads: boolean }): PlannedOperation[] {
    const { reads, writes } = this.#config;
    const operations: PlannedOperation[] = [
      ...this.#some(does.reads ? reads : 0, used).map((keys): PlannedOperation =>
        keys.length > 1 ? { kind: "readMany", keys } : { kind: "read", key: keys[0] ?? "" },
      ),
      ...this.#some(does.writes ? writes : 0, used).map((keys): PlannedOperation =>
        keys.length > 1 ? { kind: "writeMany", keys } : { kind: "write", key: keys[0] ?? "" },
      ),
    ];
    // Reads before writes, after them, and among them.
    for (let last = operations.length - 1; last > 0; last -= 1) {
      const other = this.#prng.nextInt(last + 1);
      const [a, b] = [operations[last], operations[other]];
      if (a !== undefined && b !== undefined) [operations[last], operations[other]] = [b, a];
    }
    return operations;
  }

  /** Keys one by one, or all together without repeats. */
  #some(count: number, used: string[]): string[][] {
    const keys = Array.from({ length: count }, () => this.#key(used));
    const distinct = [...new Set(keys)];
    return distinct.length > 1 && this.#prng.next() < togetherShare
      ? [distinct]
      : keys.map((key) => [key]);
  }

  #key(used: string[]): string {
    const repeated = this.#prng.next() < repeatShare ? used.at(-1) : undefined;
    const key = repeated ?? keyName(this.#zipf.next(this.#prng));
    used.push(key);
    return key;
  }
}
