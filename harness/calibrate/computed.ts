/** @module Checks without traffic: key choice, intervals, clock, timers, the recorder's own cost. */
import { type Clock, delay } from "#kit/clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { ratioOfBlocks } from "#harness/stats/bootstrap.ts";
import { createZipf } from "#workloads/keys/zipf.ts";
import { type CalibrationCheck, Expectations } from "./check.ts";
import { chiSquareFit } from "./chi-square.ts";
import { exactPercentile } from "./truth.ts";

const thetas = [0, 0.99, 1, 1.5, 2];
const keyCount = 1_000;
const draws = 200_000;

const zipf: CalibrationCheck = {
  id: "zipf",
  title: "keys are drawn with the frequencies of their skew, 1.0 and above included",
  run: () => {
    const expectations = new Expectations();
    const figures: Record<string, number> = {};
    for (const theta of thetas) {
      const chooser = createZipf(keyCount, theta);
      const prng = createPrng(15).fork(`zipf ${theta}`);
      const counts = new Float64Array(keyCount);
      for (let draw = 0; draw < draws; draw += 1) {
        const rank = chooser.next(prng);
        counts[rank] = (counts[rank] ?? 0) + 1;
      }
      const probabilities = Float64Array.from(counts, (_count, rank) => chooser.probability(rank));
      const { p } = chiSquareFit(counts, probabilities);
      figures[`chi-square p, theta ${theta}`] = round(p);
      // Fixed seeds, so a bad fit is a mistake and not bad luck.
      expectations.within(`chi-square p at theta ${theta}`, p, 0.001, 1);
      expectations.within(
        `last rank at theta ${theta}`,
        chooser.next(highest),
        keyCount - 1,
        keyCount - 1,
      );
    }
    return Promise.resolve({ failures: expectations.failures, figures });
  },
};

/** Always the largest value: what it draws must be the last key, or that key is never reached. */
const highest: Prng = {
  next: () => 1 - 2 ** -32,
  nextInt: (bound) => bound - 1,
  nextBytes: (size) => new Uint8Array(size).fill(255),
  fork: () => highest,
};

/** Five times the 200 that the rule names: then 93 … 97 % is a verdict on the method, not luck. */
const repetitions = 1_000;
const blocks = 20;

const coverage: CalibrationCheck = {
  id: "interval-coverage",
  title: "a 95 % interval of A against A holds 1.0 in 93 to 97 of 100 cases, on a drifting machine",
  run: () => {
    const prng = createPrng(7).fork("coverage");
    let covered = 0;
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const { a, b } = driftingPair(prng.fork(`series ${repetition}`));
      const { low, high } = ratioOfBlocks(a, b, prng.fork(`resample ${repetition}`));
      if (low <= 1 && high >= 1) covered += 1;
    }
    const share = covered / repetitions;
    const expectations = new Expectations();
    expectations.within("share of intervals that hold 1.0", share, 0.93, 0.97);
    return Promise.resolve({
      failures: expectations.failures,
      figures: { share: round(share), repetitions, blocks },
    });
  },
};

/** Two equal systems, block by block, on a machine whose speed wanders by 5 % a block. */
function driftingPair(prng: Prng): { a: number[]; b: number[] } {
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - prng.next())) * Math.cos(2 * Math.PI * prng.next());
  const a: number[] = [];
  const b: number[] = [];
  let levelUs = 1_000;
  for (let block = 0; block < blocks; block += 1) {
    levelUs *= Math.exp(0.05 * normal());
    a.push(levelUs * Math.exp(0.08 * normal()));
    b.push(levelUs * Math.exp(0.08 * normal()));
  }
  return { a, b };
}

const clockReads = 100_000;
const timerProbes = 200;

const clockAndTimers: CalibrationCheck = {
  id: "clock-and-timers",
  title: "the clock never goes back and is fine enough; precise timers are punctual (rule 14)",
  run: async ({ generator: { clock } }) => {
    const expectations = new Expectations();
    const { backwards, smallestStepUs, nsPerRead } = readClock(clock);
    expectations.within("steps back", backwards, 0, 0);
    expectations.within("smallest step, us", smallestStepUs, 1, 10);
    expectations.within("cost of a reading, ns", nsPerRead, 0, 2_000);
    const late: number[] = [];
    for (let probe = 0; probe < timerProbes; probe += 1) {
      // Not on whole milliseconds, where plain timers are at their best.
      const dueUs = clock.monotonicUs() + 2_300;
      await delay(clock, 2_300);
      late.push(clock.monotonicUs() - dueUs);
    }
    const p50 = exactPercentile(late, 0.5);
    const p90 = exactPercentile(late, 0.9);
    expectations.within("timer lateness p50, us", p50, 0, 100);
    return {
      failures: expectations.failures,
      figures: { smallestStepUs, nsPerRead, timerLateP50Us: p50, timerLateP90Us: p90 },
    };
  },
};

function readClock(clock: Clock) {
  let backwards = 0;
  let smallestStepUs = Infinity;
  const startUs = clock.monotonicUs();
  let last = startUs;
  for (let read = 0; read < clockReads; read += 1) {
    const now = clock.monotonicUs();
    if (now < last) backwards += 1;
    if (now > last) smallestStepUs = Math.min(smallestStepUs, now - last);
    last = now;
  }
  return {
    backwards,
    smallestStepUs,
    nsPerRead: Math.round(((last - startUs) * 1_000) / clockReads),
  };
}

const batches = 11;
const batchSize = 20_000;

const recorder: CalibrationCheck = {
  id: "recorder-overhead",
  title: "recording a request costs next to nothing",
  run: ({ generator: { clock, createRecorder } }) => {
    const target = createRecorder();
    const base = { client: 0, attempt: 0, block: 0, final: true, coldStarts: 0 } as const;
    const costs: number[] = [];
    for (let batch = 0; batch < batches; batch += 1) {
      const startUs = clock.monotonicUs();
      for (let index = 0; index < batchSize; index += 1) {
        const dueUs = clock.monotonicUs();
        const times = { dueUs, startUs: dueUs, endUs: dueUs + (index % 50_000) };
        target.record({ ...base, ...times, requestId: `c0-${index}`, index, outcome: "committed" });
      }
      costs.push(((clock.monotonicUs() - startUs) * 1_000) / batchSize);
    }
    const nsPerRequest = Math.round(exactPercentile(costs, 0.5));
    const expectations = new Expectations();
    expectations.within("cost of recording a request, ns", nsPerRequest, 0, 5_000);
    return Promise.resolve({ failures: expectations.failures, figures: { nsPerRequest } });
  },
};

export const computedChecks: readonly CalibrationCheck[] = [
  zipf,
  coverage,
  clockAndTimers,
  recorder,
];

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
