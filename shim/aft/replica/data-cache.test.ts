/**
 * Goal    The data cache is a bounded map from (key, transaction) to bytes, least recently used first out.
 * Method  Random operations against a dumb oracle: an array in order of use.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { key } from "../protocol/types.ts";
import { createDataCache } from "./data-cache.ts";

interface Known {
  readonly name: string;
  readonly value: Uint8Array;
}

const overheadBytes = 256;

describe("data cache", () => {
  it.each([1, 2, 3, 4, 5])("does what an array in order of use does (seed %i)", (seed) => {
    const prng = createPrng(seed);
    const below = (limit: number): number => Math.floor(prng.next() * limit);
    const maxBytes = 8_000;
    const cache = createDataCache(maxBytes);
    let oracle: Known[] = [];
    const bytes = (): number =>
      oracle.reduce((sum, { value }) => sum + value.length + overheadBytes, 0);
    for (let step = 0; step < 5_000; step += 1) {
      const [k, uuid] = [key(`k${below(6)}`), `t${below(5)}`];
      const name = `${k}/${uuid}`;
      const known = oracle.find((entry) => entry.name === name);
      const others = oracle.filter((entry) => entry.name !== name);
      const action = below(10);
      if (action < 5) {
        expect(cache.get(k, uuid)).toBe(known?.value);
        if (known !== undefined) oracle = [...others, known];
      } else if (action < 9) {
        const value = new Uint8Array(below(1_100));
        cache.set(k, uuid, value);
        oracle =
          value.length + overheadBytes > maxBytes / 8 ? others : [...others, { name, value }];
        while (bytes() > maxBytes) oracle.shift();
      } else {
        cache.delete(k, uuid);
        oracle = others;
      }
      expect(cache.bytes).toBe(bytes());
    }
  });

  it("knows when a key was last read, over its versions, and what was fetched ahead in vain", () => {
    const cache = createDataCache(10_000);
    const k = key("k");
    cache.set(k, "t1", new Uint8Array(3));
    expect(cache.heat(k)).toBeUndefined();
    cache.nowUs = 7;
    cache.get(k, "t1");
    expect(cache.heat(k)).toEqual({ readAtUs: 7, bytes: 3 });
    // Written by the same replica: as hot as before.
    cache.set(k, "t2", new Uint8Array(4));
    cache.delete(k, "t1");
    expect(cache.heat(k)).toEqual({ readAtUs: 7, bytes: 4 });
    for (const uuid of ["t3", "t4"])
      cache.set(k, uuid, new Uint8Array(5), { readAtUs: 7, ahead: true });
    expect(cache.has(k, "t3")).toBe(true);
    cache.get(k, "t3");
    cache.get(k, "t3");
    for (const uuid of ["t3", "t4"]) cache.delete(k, uuid);
    expect([cache.aheadUsed, cache.aheadWasted]).toEqual([1, 1]);
  });

  it("keeps nothing when it may have no bytes", () => {
    const cache = createDataCache(0);
    cache.set(key("k"), "t", new Uint8Array(1));
    expect(cache.get(key("k"), "t")).toBeUndefined();
  });
});
