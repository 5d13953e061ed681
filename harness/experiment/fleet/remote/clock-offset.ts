/**
 * @module How far a machine's wall clock is from the object store's, from the Date headers of its answers.
 * Pure, but for `measureOffset`, which asks.
 *
 * A Date header has whole seconds, so one answer says little. But an answer that is asked for just when the
 * second should turn over there halves what is still open, so a handful of them leaves some tens of
 * milliseconds and the network.
 */
import { type Clock, delay } from "#kit/clock.ts";

export interface ClockSample {
  /** Own wall clock, before the question and after the answer. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The Date header. */
  readonly serverMs: number;
}

/** The store's clock less our own lies between the two. */
export interface OffsetBounds {
  readonly lowMs: number;
  readonly highMs: number;
}

/** Servers keep the text of their date and make it anew a little late. */
const headerLagMs = 50;
const samples = 5;

/** What all samples say together; `undefined`: they contradict each other, so somebody's clock was set. */
export function boundsOf(taken: readonly ClockSample[]): OffsetBounds | undefined {
  if (taken.length === 0) return undefined;
  const lowMs = Math.max(...taken.map(({ serverMs, receivedMs }) => serverMs - receivedMs));
  const highMs = Math.min(
    ...taken.map(({ serverMs, sentMs }) => serverMs + 1_000 + headerLagMs - sentMs),
  );
  return lowMs <= highMs ? { lowMs, highMs } : undefined;
}

/** When to ask next: at the next turn of the store's second, if its clock were in the middle of the bounds. */
export function nextQuestionMs({ lowMs, highMs }: OffsetBounds, nowMs: number): number {
  const middle = (lowMs + highMs - headerLagMs) / 2;
  return Math.ceil((nowMs + middle) / 1_000) * 1_000 - middle;
}

/** Takes some seconds. `undefined`: nobody tells, or what is told contradicts itself. */
export async function measureOffset(options: {
  readonly clock: Clock;
  readonly ask: () => Promise<ClockSample | undefined>;
}): Promise<OffsetBounds | undefined> {
  const { clock, ask } = options;
  // The first answer of a connection is slow: it opens it.
  await ask();
  const taken: ClockSample[] = [];
  for (let at = 0; at < samples; at += 1) {
    const bounds = boundsOf(taken);
    if (at > 0 && bounds === undefined) return undefined;
    if (bounds !== undefined) {
      const nowMs = clock.nowMs();
      await delay(clock, (nextQuestionMs(bounds, nowMs) - nowMs) * 1_000);
    }
    const sample = await ask();
    if (sample === undefined) return undefined;
    taken.push(sample);
  }
  return boundsOf(taken);
}
