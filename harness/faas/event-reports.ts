/**
 * @module Where functions report what an attempt did, because an event has no caller who would be told.
 *
 * Listens on loopback. What is reported before anybody asks is kept until somebody does; a report that
 * nobody asks for any more is kept until the end, so the number of requests bounds it.
 */
import { createServer } from "node:http";

export interface EventReport {
  readonly requestId: string;
  readonly coldStart?: boolean;
  /** One of both. */
  readonly result?: unknown;
  readonly error?: string;
}

export interface EventReports {
  readonly url: string;
  /** The next report of a request; undefined: none within the limit, or closed. */
  next(requestId: string, limitMs: number): Promise<EventReport | undefined>;
  close(): Promise<void>;
}

/** A result holds its operations and no values: far below this. */
const maxReportBytes = 4 * 1_048_576;

export async function openEventReports(): Promise<EventReports> {
  const kept = new Map<string, EventReport[]>();
  const waiting = new Map<string, (report: EventReport | undefined) => void>();
  const deliver = (report: EventReport): void => {
    const resolve = waiting.get(report.requestId);
    if (resolve !== undefined) {
      resolve(report);
      return;
    }
    const earlier = kept.get(report.requestId) ?? [];
    kept.set(report.requestId, [...earlier, report]);
  };
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxReportBytes) chunks.push(chunk);
    });
    request.on("end", () => {
      const report = size > maxReportBytes ? undefined : readReport(Buffer.concat(chunks));
      response.writeHead(report === undefined ? 400 : 204).end();
      if (report !== undefined) deliver(report);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    next: (requestId, limitMs) => {
      const [first, ...rest] = kept.get(requestId) ?? [];
      if (first !== undefined) {
        if (rest.length === 0) kept.delete(requestId);
        else kept.set(requestId, rest);
        return Promise.resolve(first);
      }
      return new Promise((resolve) => {
        const settle = (report: EventReport | undefined): void => {
          clearTimeout(timer);
          waiting.delete(requestId);
          resolve(report);
        };
        const timer = setTimeout(() => {
          settle(undefined);
        }, limitMs);
        waiting.set(requestId, settle);
      });
    },
    close: async () => {
      for (const settle of waiting.values()) settle(undefined);
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Undefined: not one. */
function readReport(body: Buffer): EventReport | undefined {
  try {
    const report = JSON.parse(body.toString()) as Partial<EventReport>;
    return typeof report.requestId === "string" ? (report as EventReport) : undefined;
  } catch {
    return undefined;
  }
}
