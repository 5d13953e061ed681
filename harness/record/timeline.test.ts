/**
 * Goal    The numbers of a fault are what their definitions say, computed from a record made by hand.
 */
import { expect, it } from "vitest";
import type { AttemptRecord } from "./attempts.ts";
import type { Measurements, SystemEvent } from "./measurements.ts";
import { timelineOf } from "./timeline.ts";

const second = 1_000_000;
const originUs = 5 * second;

/** One request every `everyMs`, each 10 ms long. */
function load(fromS: number, toS: number, everyMs: number): AttemptRecord[] {
  const attempts: AttemptRecord[] = [];
  for (let atUs = fromS * second; atUs < toS * second; atUs += everyMs * 1_000) {
    const startUs = originUs + atUs;
    attempts.push({
      requestId: `r${startUs}`,
      client: 0,
      attempt: 0,
      index: 0,
      block: 0,
      dueUs: startUs,
      startUs,
      endUs: startUs + 10_000,
      outcome: "committed",
      final: true,
      coldStarts: 0,
    });
  }
  return attempts;
}

function event(atS: number, kind: string, who: string): SystemEvent {
  return { atUs: originUs + atS * second, kind, who };
}

function measured(events: readonly SystemEvent[]): Measurements {
  return {
    blocks: [{ block: 0, startUs: originUs, endUs: originUs + 20 * second }],
    storage: null,
    platform: { coldStarts: 0, invocations: 0 },
    cpuCores: {},
    promises: [],
    invalidReasons: [],
    faults: { attempts: 1, instancesKilled: 0 },
    events,
  };
}

it("counts detection, replacement and goodput from the kill on", () => {
  const attempts = [...load(0, 5, 10), ...load(5, 12, 20), ...load(12, 20, 10)];
  const timeline = timelineOf({
    attempts,
    anomalous: [],
    measurements: measured([
      event(5, "kill", "replica-2"),
      // Another one's death must not be taken for it.
      event(6, "dead", "replica-9"),
      event(8, "dead", "replica-2"),
      event(10, "started", "replica-5"),
      event(11, "serving", "replica-5"),
    ]),
  });
  expect(timeline?.fault).toEqual({
    fromSeconds: 5,
    toSeconds: 11,
    detectionSeconds: 3,
    replacementSeconds: 6,
    throughputBefore: expect.closeTo(100, 0) as number,
    throughputDuring: expect.closeTo(50, 0) as number,
    throughputAfter: expect.closeTo(100, 0) as number,
    ratioAfterToBefore: expect.closeTo(1, 1) as number,
  });
  expect(timeline?.slices).toHaveLength(40);
  expect(timeline?.slices[2]).toMatchObject({ throughputPerSecond: 100, p50Ms: 10, p95Ms: null });
});

it("says nothing about what did not happen", () => {
  const attempts = load(0, 20, 10);
  const never = timelineOf({
    attempts,
    anomalous: [],
    measurements: measured([event(5, "kill", "replica-2")]),
  });
  expect(never?.fault).toMatchObject({
    toSeconds: null,
    detectionSeconds: null,
    replacementSeconds: null,
    throughputAfter: null,
    ratioAfterToBefore: null,
  });
  expect(timelineOf({ attempts, anomalous: [], measurements: measured([]) })?.fault).toBeNull();
});
