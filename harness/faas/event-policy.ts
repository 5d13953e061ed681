/**
 * @module Requests as asynchronous events: sent once, and tried again by the platform itself.
 *
 * To whoever drives the load it looks like a platform of which every attempt is an invocation: the first
 * sends the event, each waits for what the next attempt of the function reports. So a function must
 * report what it did, and requests must be one function long: an event has no caller to go on.
 */
import type { EventReport, EventReports } from "./event-reports.ts";
import type { InvocationOutcome, Platform } from "./port.ts";

/** Lambda tries twice again. */
export const eventAttempts = 3;
/** Nothing was reported for so long: the attempt was lost, or none was made. */
const reportLimitMs = 20_000;

/** What functions are told besides. */
export interface ReportingPayload {
  readonly requestId: string;
  /** Where to report each attempt. */
  readonly reportTo?: string;
}

/** `platform` must be one that tries events again. Closing it is left to its owner. */
export function sendAsEvents(options: {
  readonly platform: Platform;
  readonly reports: EventReports;
  readonly nowUs: () => number;
}): Pick<Platform, "invoke"> {
  const { platform, reports, nowUs } = options;
  const under = new Set<string>();
  return {
    invoke: async (name, payload): Promise<InvocationOutcome> => {
      const { requestId } = payload as ReportingPayload;
      const startUs = nowUs();
      if (!under.has(requestId)) {
        under.add(requestId);
        const told = { ...(payload as object), reportTo: reports.url };
        const answer = await platform.invokeEvent?.(name, told);
        if (answer !== "accepted") {
          under.delete(requestId);
          return { kind: "throttled", timings: { startUs, endUs: nowUs(), coldStart: false } };
        }
      }
      const report = await reports.next(requestId, reportLimitMs);
      const { coldStart = false } = report ?? {};
      return outcomeOf(report, { startUs, endUs: nowUs(), coldStart });
    },
  };
}

function outcomeOf(
  report: EventReport | undefined,
  timings: InvocationOutcome["timings"],
): InvocationOutcome {
  if (report === undefined) return { kind: "timeout", timings };
  const { error, result } = report;
  if (error === undefined) return { kind: "ok", result, timings };
  return { kind: "functionError", errorType: "Error", message: error, timings };
}
