/** @module Fewer transactions with the same fault. */

/**
 * A subset that still is faulty and from which no single element can be left out. `isFaulty` must be
 * monotone: what contains a faulty subset is faulty; and true of `whole`.
 *
 * Cost: O(size × log) calls while large parts can go, O(size²) at worst.
 */
export function shrink(
  whole: readonly number[],
  isFaulty: (subset: readonly number[]) => boolean,
): number[] {
  let kept = [...whole];
  let size = Math.max(1, kept.length >> 1);
  for (;;) {
    let removed = false;
    for (let start = 0; start < kept.length;) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (rest.length < kept.length && isFaulty(rest)) {
        kept = rest;
        removed = true;
      } else start += size;
    }
    if (size > 1) size >>= 1;
    else if (!removed) return kept;
  }
}
