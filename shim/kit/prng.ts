/**
 * @module The port through which all randomness comes, and its seeded implementation.
 *
 * One seed gives a tree of independent streams: `fork("keys")` always yields the same stream for
 * the same parent seed, however much the parent or its other children were used. So a change of
 * the arrival process does not change the keys that are drawn.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Prng {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in [0, bound); `bound` is a positive integer up to 2^32. */
  nextInt(bound: number): number;
  /** `size` random bytes. */
  nextBytes(size: number): Uint8Array;
  /** An independent stream, a function of this stream's seed and `label` alone. */
  fork(label: string): Prng;
}

/** A seeded stream; equal seeds give equal streams on every machine. */
export function createPrng(seed: number): Prng {
  const generator = xoroshiro128plus(seed | 0);
  const nextUint32 = (): number => generator.next() >>> 0;
  return {
    next: () => nextUint32() / 4_294_967_296,
    nextInt: (bound) => Math.floor((nextUint32() / 4_294_967_296) * bound),
    nextBytes: (size) => {
      const bytes = new Uint8Array(size);
      let offset = 0;
      // Little endian, by hand: a few bytes for an id are the common case, and a view costs more.
      for (; offset + 4 <= size; offset += 4) {
        const word = generator.next();
        bytes[offset] = word;
        bytes[offset + 1] = word >>> 8;
        bytes[offset + 2] = word >>> 16;
        bytes[offset + 3] = word >>> 24;
      }
      for (; offset < size; offset += 1) bytes[offset] = nextUint32() & 0xff;
      return bytes;
    },
    fork: (label) => createPrng(hashSeed(seed, label)),
  };
}

/** FNV-1a over the seed's bytes and the label: cheap, and different for every label. */
export function hashSeed(seed: number, label: string): number {
  let hash = 0x811c9dc5;
  const mix = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (let shift = 0; shift < 32; shift += 8) mix((seed >>> shift) & 0xff);
  for (let index = 0; index < label.length; index += 1) {
    mix(label.charCodeAt(index) & 0xff);
    mix(label.charCodeAt(index) >>> 8);
  }
  // A final avalanche, because the generator's low seeds are close together.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash | 0;
}
