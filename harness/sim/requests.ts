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
    const functions: PlannedOperation[][] = [];
    const written = new Set<string>();
    for (let index = 0; index < length; index += 1) {
      const operations = this.#functionOf(used, does);
      functions.push(operations);
      for (const operation of operations)
        if (operation.kind === "write") written.add(operation.key);
        else if (operation.kind === "writeMany") for (const key of operation.keys) written.add(key);
    }
    return {
      requestId: `c${client}-${this.#index}`,
      functions,
      writeSet: [...written].toSorted(),
      payloadSeed: this.#index,
    };
  }

  #functionOf(used: string[], does: { writes: boolean; reads: boolean }): PlannedOperation[] {
    const { reads, writes } = this.#config;
    const operations: PlannedOperation[] = [];
    this.#some(does.reads ? reads : 0, used, (keys, key) => {
      operations.push(keys === undefined ? { kind: "read", key } : { kind: "readMany", keys });
    });
    this.#some(does.writes ? writes : 0, used, (keys, key) => {
      operations.push(keys === undefined ? { kind: "write", key } : { kind: "writeMany", keys });
    });
    // Reads before writes, after them, and among them.
    for (let last = operations.length - 1; last > 0; last -= 1) {
      const other = this.#prng.nextInt(last + 1);
      const a = operations[last];
      const b = operations[other];
      if (a === undefined || b === undefined) continue;
      operations[last] = b;
      operations[other] = a;
    }
    return operations;
  }

  /** Keys one by one, or all together without repeats. */
  #some(
    count: number,
    used: string[],
    take: (together: string[] | undefined, key: string) => void,
  ): void {
    const keys: string[] = [];
    const distinct: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const key = this.#key(used);
      keys.push(key);
      if (!distinct.includes(key)) distinct.push(key);
    }
    if (distinct.length > 1 && this.#prng.next() < togetherShare) take(distinct, "");
    else for (const key of keys) take(undefined, key);
  }

  #key(used: string[]): string {
    const repeated = this.#prng.next() < repeatShare ? used.at(-1) : undefined;
    const key = repeated ?? keyName(this.#zipf.next(this.#prng));
    used.push(key);
    return key;
  }
}
