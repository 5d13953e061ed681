/**
 * Goal    Bounds of a clock's offset hold whatever the network and the phase, and become narrow.
 * Method  A server with a clock of its own, a network with delays of its own; random cases.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Clock } from "#kit/clock.ts";
import { boundsOf, type ClockSample, measureOffset } from "./clock-offset.ts";

/** Time passes only while somebody waits or asks. */
function world(options: {
  readonly offsetMs: number;
  readonly phaseMs: number;
  readonly delaysMs: readonly number[];
}): { readonly clock: Clock; readonly ask: () => Promise<ClockSample> } {
  const { offsetMs, phaseMs, delaysMs } = options;
  let nowMs = 1_700_000_000_000 + phaseMs;
  let asked = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicUs: () => nowMs * 1_000,
    schedule: (delayUs, task) => {
      nowMs += delayUs / 1_000;
      queueMicrotask(task);
      return { cancel: () => {} };
    },
    defer: queueMicrotask,
  };
  const ask = (): Promise<ClockSample> => {
    const [there = 1, back = 1] = [
      delaysMs[asked % delaysMs.length],
      delaysMs[(asked + 1) % delaysMs.length],
    ];
    asked += 1;
    const sentMs = nowMs;
    nowMs += there;
    const serverMs = Math.floor((nowMs + offsetMs) / 1_000) * 1_000;
    nowMs += back;
    return Promise.resolve({ sentMs, receivedMs: nowMs, serverMs });
  };
  return { clock, ask };
}

describe("the offset of a clock", () => {
  it("lies within its bounds, which are narrow when the network is quick", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -5_000, max: 5_000 }),
        fc.integer({ min: 0, max: 999 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 7 }),
        async (offsetMs, phaseMs, delaysMs) => {
          const bounds = await measureOffset(world({ offsetMs, phaseMs, delaysMs }));
          expect(bounds?.lowMs).toBeLessThanOrEqual(offsetMs);
          expect(bounds?.highMs).toBeGreaterThanOrEqual(offsetMs);
          expect((bounds?.highMs ?? 0) - (bounds?.lowMs ?? 0)).toBeLessThanOrEqual(250);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is unknown where nobody tells the time", async () => {
    const { clock } = world({ offsetMs: 0, phaseMs: 0, delaysMs: [1] });
    expect(await measureOffset({ clock, ask: () => Promise.resolve(undefined) })).toBeUndefined();
  });

  it("is unknown where what is told contradicts itself", () => {
    const sample = { sentMs: 10_000, receivedMs: 10_001, serverMs: 10_000 };
    expect(boundsOf([sample, { ...sample, serverMs: 15_000 }])).toBeUndefined();
    expect(boundsOf([sample])).toEqual({ lowMs: -1, highMs: 1_050 });
  });
});
