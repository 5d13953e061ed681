/**
 * Goal    One Ctrl-C asks once, however often it is delivered; whoever asks again is not kept waiting.
 * Method  Signals as Node emits them, at instants of a clock that is set by hand.
 */
import { afterEach, expect, it } from "vitest";
import { listenForStop } from "./stop-signals.ts";

let nowMs = 0;
let insisted = 0;
let listening: ReturnType<typeof listenForStop> | undefined;

function listen(): AbortSignal {
  [nowMs, insisted] = [1_000, 0];
  listening = listenForStop(() => (insisted += 1), { now: () => nowMs });
  return listening.signal;
}

function signalAt(atMs: number, name: NodeJS.Signals = "SIGINT"): void {
  nowMs = atMs;
  process.emit(name, name);
}

afterEach(() => {
  listening?.dispose();
});

it("the first asks for an orderly stop and says which it was", () => {
  const signal = listen();
  signalAt(1_000, "SIGTERM");
  expect(signal.reason).toMatchObject({ message: "stopped by SIGTERM" });
  expect(insisted).toBe(0);
});

it("the same Ctrl-C again, by the terminal and by who started this process, insists on nothing", () => {
  const signal = listen();
  signalAt(1_000);
  signalAt(1_001);
  signalAt(1_400);
  expect(signal.aborted).toBe(true);
  expect(insisted).toBe(0);
});

it("a later one does not wait", () => {
  listen();
  signalAt(1_000);
  signalAt(1_001);
  signalAt(1_501);
  expect(insisted).toBe(1);
});

it("nobody is heard any more when it is done", () => {
  const count = process.listenerCount("SIGINT");
  const signal = listen();
  expect(process.listenerCount("SIGINT")).toBe(count + 1);
  listening?.dispose();
  expect(process.listenerCount("SIGINT")).toBe(count);
  expect(signal.aborted).toBe(false);
});
