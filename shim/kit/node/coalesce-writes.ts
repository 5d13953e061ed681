/**
 * @module One system call for everything written in one turn.
 *
 * ioredis writes each command to the socket on its own. When one received chunk wakes forty callers,
 * that is forty system calls; corked until the turn's microtasks are done, it is one or a few.
 */
import type { Writable } from "node:stream";

/** Commands held back at most: all of a turn in one write would make both sides work in turns. */
const holdAtMost = 8;

/** Returns a function to call before each write; the stream is looked up anew after reconnects. */
export function coalesceWrites(streamOf: () => Writable | undefined): () => void {
  let corked: Writable | undefined;
  let held = 0;
  const uncork = (): void => {
    corked?.uncork();
    corked = undefined;
    held = 0;
  };
  return () => {
    if (corked !== undefined) {
      held += 1;
      if (held < holdAtMost) return;
      // The peer can begin while the rest of this turn goes on; the tick's own uncork then is idle.
      uncork();
    }
    corked = streamOf();
    if (corked === undefined) return;
    corked.cork();
    // Runs when the microtasks of this turn, all the woken callers, are through.
    process.nextTick(uncork);
  };
}
