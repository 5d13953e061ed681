/**
 * @module The one way to hdr-histogram-js: microseconds in, honest percentiles out (MEASURING rule 3).
 *
 * Traps that are closed here: values that are no whole number are refused, not truncated; values above
 * the highest trackable one are counted as clipped, not lost; 64-bit buckets, because 32-bit ones
 * wrap silently; percentiles beyond what the sample supports are not given.
 */
import {
  build,
  decodeFromCompressedBase64,
  type Histogram,
  HistogramLogWriter,
} from "hdr-histogram-js";
import { ProjectError } from "#kit/errors.ts";
import type { DistributionSummary, Percentile } from "#harness/record/run.ts";
import { samplesForPercentile } from "#harness/stats/binomial.ts";

/** Ten minutes; longer waits are clipped, and said to be. */
export const highestTrackableUs = 600_000_000;
const significantDigits = 3;

/** A recorded value is not a whole number of microseconds, zero or more. */
export class BadSampleError extends ProjectError {
  readonly code = "bad_sample";
  readonly disposition = "bug";

  constructor(value: number) {
    super(`a sample must be whole microseconds, zero or more, not ${value}`);
  }
}

export class LatencyHistogram {
  readonly #histogram: Histogram;
  #clipped = 0;

  constructor(histogram: Histogram = empty()) {
    this.#histogram = histogram;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Values above the highest trackable one, recorded there. */
  get clipped(): number {
    return this.#clipped;
  }

  /** @throws BadSampleError */
  record(valueUs: number): void {
    if (!Number.isSafeInteger(valueUs) || valueUs < 0) throw new BadSampleError(valueUs);
    if (valueUs > highestTrackableUs) {
      this.#clipped += 1;
      this.#histogram.recordValue(highestTrackableUs);
    } else {
      this.#histogram.recordValue(valueUs);
    }
  }

  /** Adds all samples of another: the histogram of the union. */
  merge(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
    this.#clipped += other.#clipped;
  }

  /** Value at a quantile in 0…1, or how many samples it would need. */
  percentile(q: number): Percentile {
    const need = samplesForPercentile(q);
    if (this.count < need) return { need, have: this.count };
    return this.#histogram.getValueAtPercentile(q * 100);
  }

  summary(): DistributionSummary {
    const none = this.count === 0;
    return {
      count: this.count,
      min: none ? 0 : this.#histogram.getValueAtPercentile(0),
      max: none ? 0 : this.#histogram.getValueAtPercentile(100),
      mean: none ? 0 : Math.round(this.#histogram.mean * 10) / 10,
      p50: this.percentile(0.5),
      p90: this.percentile(0.9),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      clipped: this.#clipped,
    };
  }

  /** For an interval log; see `writeHistogramLog`. */
  get raw(): Histogram {
    return this.#histogram;
  }
}

/** One line of an interval log. */
export interface TaggedHistogram {
  /** Letters, digits and `-`: a comma would break the format. */
  readonly tag: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly histogram: LatencyHistogram;
}

/** HdrHistogram's interval log (V2), as its Java tools read it. */
export function writeHistogramLog(entries: readonly TaggedHistogram[], startMs: number): string {
  let text = "";
  const writer = new HistogramLogWriter((part) => {
    text += part;
  });
  writer.outputLogFormatVersion();
  writer.outputStartTime(startMs);
  writer.outputLegend();
  for (const { tag, startMs: from, endMs, histogram } of entries) {
    histogram.raw.tag = tag.replaceAll(/[^A-Za-z0-9-]/g, "-");
    histogram.raw.startTimeStampMsec = from;
    histogram.raw.endTimeStampMsec = endMs;
    writer.outputIntervalHistogram(histogram.raw);
  }
  return text;
}

/** The histograms of an interval log, by tag; entries of one tag are merged. */
export function readHistogramLog(text: string): Map<string, LatencyHistogram> {
  const found = new Map<string, LatencyHistogram>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || line.startsWith('"')) continue;
    const fields = line.split(",");
    const tag = (fields[0] ?? "").startsWith("Tag=") ? (fields.shift() ?? "").slice(4) : "";
    const decoded = decodeFromCompressedBase64(fields[3] ?? "");
    decoded.autoResize = true;
    const histogram = new LatencyHistogram(decoded);
    const known = found.get(tag);
    if (known === undefined) found.set(tag, histogram);
    else known.merge(histogram);
  }
  return found;
}

function empty(): Histogram {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestTrackableUs,
    numberOfSignificantValueDigits: significantDigits,
    autoResize: false,
  });
}
