/**
 * @module When V8 should collect everything in a process that makes load.
 *
 * Its heap is small, and what a transaction needs lives as long as the transaction. V8 begins to mark the old
 * generation when less than a young generation is left of the limit it has set itself: for so small a heap that
 * is nearly always, and a full collection follows every few scavenges, for minutes, until the limit happens to be higher.
 * A process in that state takes twice the CPU for a transaction. So it is told how full is full.
 */
import { setFlagsFromString } from "node:v8";

const triggers = ["--incremental-marking-soft-trigger=80", "--incremental-marking-hard-trigger=90"];

/** From now on, in this process. Idempotent. */
export function collectWhenFull(): void {
  for (const trigger of triggers) setFlagsFromString(trigger);
}
