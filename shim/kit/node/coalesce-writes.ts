/**
 * @module Few system calls for what is written in one turn.
 *
 * ioredis writes each command to the socket on its own. When one received chunk wakes forty callers,
 * that is forty system calls; corked, and let go in the rhythm of `write-rhythm.ts`, it is one or a few.
 */
import type { Redis } from "ioredis";
import { WriteRhythm } from "./write-rhythm.ts";

/** Returns a function to call before each command; the stream is looked up anew after reconnects. */
export function coalesceWrites(client: Redis): () => void {
  const rhythm = new WriteRhythm();
  let corked: Redis["stream"] | undefined;
  let isTurn = false;
  /** What is held leaves before the next command. */
  let isFull = false;
  const uncork = (): void => {
    corked?.uncork();
    corked = undefined;
    isFull = false;
  };
  const endTurn = (): void => {
    uncork();
    rhythm.endTurn();
    isTurn = false;
  };
  return () => {
    if (!isTurn) {
      isTurn = true;
      // Runs when the microtasks of this turn, all the woken callers, are through.
      process.nextTick(endTurn);
    }
    if (isFull) uncork();
    isFull = rhythm.leaves(client.commandQueue.length + 1);
    if (corked !== undefined || isFull) return;
    corked = client.stream;
    corked?.cork();
  };
}
