/**
 * @module A moment between two looks of a polling loop.
 *
 * A turn of the event loop that only looks takes about a microsecond and makes 400 bytes to be collected: without a pause that
 * is 400 MB a second, and V8's threads, at work on them, hold up whoever needs the other core (D141).
 */

/** About as long as a turn takes, where the processor's own pause takes 15 to 45 ns. */
const pauses = 50;

/** Not in Node 22. */
const pause = (Atomics as { readonly pause?: () => void }).pause ?? ((): void => {});

export function pauseBriefly(): void {
  for (let turn = 0; turn < pauses; turn += 1) pause();
}
