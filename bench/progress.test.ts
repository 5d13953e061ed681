/**
 * Goal    Progress says where a run is, on a terminal and in a log, and nothing when asked to be quiet.
 * Method  The same events into all three; a clock moved by hand.
 */
import { expect, it } from "vitest";
import type { SuiteEvent } from "#harness/experiment/events.ts";
import { LiveWindow, LoadExtent } from "#harness/experiment/live.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { createProgress } from "./progress.ts";

type CellProgress = Extract<SuiteEvent, { kind: "cell-progress" }>;

const progress = (done: number, p99Us: number | null): CellProgress => ({
  kind: "cell-progress",
  index: 2,
  cells: 4,
  label: "overhead aft over redis",
  done,
  total: 1_000,
  unit: "requests",
  throughputPerSecond: 812.4,
  p99Us,
  secondsLeft: 42,
});

function show(options: { readonly isTTY: boolean; readonly quiet?: boolean }): string {
  let text = "";
  let nowMs = 0;
  const stream = { isTTY: options.isTTY, columns: 200, write: (part: string) => (text += part) };
  const onEvent = createProgress({ stream, quiet: options.quiet ?? false, nowMs: () => nowMs });
  onEvent({ kind: "plan", cells: 4, estimateSeconds: 60 });
  for (let done = 0; done < 10; done += 1) {
    onEvent(progress(done * 100, done < 2 ? null : 12_345));
    nowMs += 1_000;
  }
  nowMs += 5_000;
  onEvent(progress(999, 12_345));
  return text;
}

it("rewrites one line on a terminal: experiment, cell k of n, rate, p99, time left", () => {
  const text = show({ isTTY: true });
  expect(text).toContain(
    "[2/4] overhead aft over redis  900/1000 requests  812/s  p99 12 ms  42 s left",
  );
  expect(text.match(/\r/g)?.length).toBeGreaterThan(10);
  expect(text).toContain("p99 –");
});

it("appends a line every ten seconds elsewhere, without control characters", () => {
  const text = show({ isTTY: false });
  expect(text.match(/requests/g)).toHaveLength(2);
  expect(text).not.toContain("\r");
});

it("is quiet when asked to be", () => {
  expect(show({ isTTY: true, quiet: true })).toBe("");
  expect(show({ isTTY: false, quiet: true })).toBe("");
});

it("counts seconds where a time ends the load, over its blocks, and not the warm-up", () => {
  const load = { clients: 4, requestsPerClient: 2_000, warmUpRequestsPerClient: 50, blocks: 2 };
  const timed = new LoadExtent([
    closedLoad({ ...load, seconds: 12 }),
    closedLoad({ ...load, seconds: 12 }),
  ]);
  expect(timed.at(3_000_000)).toEqual({ done: 0, total: 24, unit: "s" });
  timed.beginBlock(5_000_000);
  timed.noteRequest();
  expect(timed.at(9_000_000)).toEqual({ done: 4, total: 24, unit: "s" });
  timed.endBlock(11_000_000);
  timed.beginBlock(20_000_000);
  expect(timed.at(60_000_000).done).toBe(24);

  const counted = new LoadExtent([closedLoad(load), closedLoad({ ...load, seconds: 12 })]);
  counted.noteRequest();
  expect(counted.at(9_000_000)).toEqual({ done: 1, total: 16_000, unit: "requests" });

  let text = "";
  const stream = { isTTY: false, write: (part: string) => (text += part) };
  const onEvent = createProgress({ stream, quiet: false, nowMs: () => 0 });
  onEvent({ ...progress(0, null), ...timed.at(26_000_000) });
  expect(text).toContain("12 of 24 s");
});

it("looks only at the last seconds, and gives no p99 of a handful", () => {
  const live = new LiveWindow();
  for (let at = 0; at < 4_000; at += 1) live.record(at * 1_000, at < 2_000 ? 90_000 : 5_000);
  const { throughputPerSecond, p99Us } = live.figures(4_000_000);
  expect(throughputPerSecond).toBeGreaterThan(950);
  expect(throughputPerSecond).toBeLessThan(1_001);
  expect(p99Us).toBe(5_000);
  expect(live.figures(5_950_000).p99Us).toBeNull();
});
