/**
 * @module Progress on stderr: one line that is rewritten on a terminal; elsewhere a line when a cell
 * begins to be measured, every ten seconds, and when it is done.
 */
import type { SuiteEvent } from "#harness/experiment/events.ts";
import { formatSeconds } from "./text.ts";

export interface ProgressOptions {
  readonly stream: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  readonly quiet: boolean;
  readonly nowMs: () => number;
}

/** Shortest time between two rewrites of the line, so that printing costs the run nothing. */
const rewriteEveryMs = 200;
/** The same where lines cannot be rewritten: a log wants a sign of life, not a film. */
const appendEveryMs = 10_000;

export function createProgress(options: ProgressOptions): (event: SuiteEvent) => void {
  const { stream, quiet, nowMs } = options;
  const live = stream.isTTY === true;
  let lastMs = -Infinity;
  let liveLength = 0;

  const clearLine = (): void => {
    if (liveLength > 0) stream.write(`\r${" ".repeat(liveLength)}\r`);
    liveLength = 0;
  };
  const print = (line: string): void => {
    clearLine();
    stream.write(`${line}\n`);
  };
  const rewrite = (line: string): void => {
    if (nowMs() - lastMs < (live ? rewriteEveryMs : appendEveryMs)) return;
    lastMs = nowMs();
    if (!live) {
      print(line);
      return;
    }
    clearLine();
    const shown = line.slice(0, (stream.columns ?? 80) - 1);
    stream.write(shown);
    liveLength = shown.length;
  };

  return (event) => {
    if (quiet) return;
    switch (event.kind) {
      case "plan":
        print(`${event.cells} cells, about ${formatSeconds(event.estimateSeconds)}`);
        return;
      case "cell-progress":
        rewrite(
          `[${event.index}/${event.cells}] ${event.label}  ${describeDone(event)}` +
            `  ${Math.round(event.throughputPerSecond)}/s  p99 ${formatP99(event.p99Us)}` +
            `  ${formatSeconds(event.secondsLeft)} left`,
        );
        return;
      case "cell-done":
        lastMs = -Infinity;
        print(
          `[${event.index}/${event.cells}] ${event.label}  ${event.outcome}` +
            `  (${formatSeconds(event.secondsLeft)} left)`,
        );
        return;
      case "not-run":
        print(
          `not run: ${event.notRun.what}: ${event.notRun.why}; get it with: ${event.notRun.get}`,
        );
        return;
      case "note":
        print(event.text);
        return;
    }
  };
}

function describeDone({
  done,
  total,
  unit,
}: Extract<SuiteEvent, { kind: "cell-progress" }>): string {
  return unit === "requests"
    ? `${done}/${total} requests`
    : `${Math.round(done)} of ${Math.round(total)} s`;
}

function formatP99(us: number | null): string {
  return us === null ? "–" : `${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`;
}
