/** @module The REPORT line at the end of a log tail: what the service measured and will bill. Pure. */

export interface ReportLine {
  readonly durationMs: number;
  readonly billedMs: number;
  /** Of cold starts only. */
  readonly initMs?: number;
  readonly maxMemoryMiB?: number;
}

/** `undefined`: the tail (at most 4 KiB, base64) holds no complete REPORT line. */
export function readReportLine(logResult: string | undefined): ReportLine | undefined {
  if (logResult === undefined) return undefined;
  const text = Buffer.from(logResult, "base64").toString();
  const line = text.slice(text.lastIndexOf("REPORT RequestId:"));
  const duration = numberAfter(line, /(?<!Billed |Init |Restore )Duration: ([\d.]+) ms/);
  const billed = numberAfter(line, /Billed Duration: ([\d.]+) ms/);
  if (!line.startsWith("REPORT") || duration === undefined || billed === undefined)
    return undefined;
  const init = numberAfter(line, /Init Duration: ([\d.]+) ms/);
  const memory = numberAfter(line, /Max Memory Used: (\d+) MB/);
  return {
    durationMs: duration,
    billedMs: billed,
    ...(init !== undefined && { initMs: init }),
    ...(memory !== undefined && { maxMemoryMiB: memory }),
  };
}

function numberAfter(line: string, pattern: RegExp): number | undefined {
  const text = pattern.exec(line)?.[1];
  return text === undefined ? undefined : Number(text);
}
