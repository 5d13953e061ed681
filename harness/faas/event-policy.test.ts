/**
 * Goal    Requests sent as events look like attempts to whoever drives the load: each of the platform's is
 *         one, in order, and nothing is waited for without end.
 * Method  Reports over real HTTP; a platform that only accepts or refuses, because what it would do with
 *         an event is played by the test. Real platforms: bench/lambda-run.e2e.ts.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sendAsEvents } from "./event-policy.ts";
import { type EventReports, openEventReports } from "./event-reports.ts";
import type { Platform } from "./port.ts";

let reports: EventReports;
beforeEach(async () => {
  reports = await openEventReports();
});
afterEach(() => reports.close());

function post(report: unknown): Promise<Response> {
  return fetch(reports.url, { method: "POST", body: JSON.stringify(report) });
}

function open(answer: "accepted" | "refused" = "accepted") {
  const sent: unknown[] = [];
  const invokeEvent = (_name: string, payload: unknown): Promise<typeof answer> => {
    sent.push(payload);
    return Promise.resolve(answer);
  };
  const platform = { invokeEvent } as unknown as Platform;
  return { sent, events: sendAsEvents({ platform, reports, nowUs: () => 0 }) };
}

describe("a request sent as an event", () => {
  it("is sent once, and its attempts are answered in the order they reported", async () => {
    const { sent, events } = open();
    const first = events.invoke("f", { requestId: "r" });
    await post({ requestId: "r", coldStart: true, error: "on purpose" });
    await post({ requestId: "r", result: { done: 1 } });
    expect(await first).toMatchObject({
      kind: "functionError",
      message: "on purpose",
      timings: { coldStart: true },
    });
    expect(await events.invoke("f", { requestId: "r" })).toMatchObject({
      kind: "ok",
      result: { done: 1 },
    });
    expect(sent).toEqual([{ requestId: "r", reportTo: reports.url }]);
  });

  it("does not mix requests up", async () => {
    const { events } = open();
    const [a, b] = ["a", "b"].map((requestId) => events.invoke("f", { requestId }));
    await post({ requestId: "b", result: "of b" });
    await post({ requestId: "a", result: "of a" });
    expect(await a).toMatchObject({ result: "of a" });
    expect(await b).toMatchObject({ result: "of b" });
  });

  it("that was refused has not run, and may be sent again", async () => {
    const { sent, events } = open("refused");
    expect((await events.invoke("f", { requestId: "r" })).kind).toBe("throttled");
    expect((await events.invoke("f", { requestId: "r" })).kind).toBe("throttled");
    expect(sent).toHaveLength(2);
  });

  it("has timed out where no attempt reported before the end", async () => {
    const { events } = open();
    const pending = events.invoke("f", { requestId: "r" });
    await new Promise(setImmediate);
    await reports.close();
    expect((await pending).kind).toBe("timeout");
  });
});

it("refuses what is no report", async () => {
  expect((await post({ result: 1 })).status).toBe(400);
  expect((await fetch(reports.url, { method: "POST", body: "{" })).status).toBe(400);
});
