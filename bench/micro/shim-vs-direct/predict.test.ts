/**
 * Goal    The prediction is what the emulation does: a known answer for one trip, sums for several,
 *         the slowest of parallel writes where the service takes one item a request.
 */
import { expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import { predictMedianUs, type Trips } from "./predict.ts";

const predict = (profile: keyof typeof emulationProfiles, trips: Trips, baseUs = 0): number =>
  predictMedianUs({ profile: emulationProfiles[profile], trips, baseUs, prng: createPrng(1) });

it("is the profile's median for one trip, and the base on top", () => {
  const { read, write } = emulationProfiles.dynamodb;
  expect(predict("dynamodb", { reads: 1, writes: [] }) / read.medianUs).toBeCloseTo(1, 1);
  expect(predict("dynamodb", { reads: 0, writes: [1] }) / write.medianUs).toBeCloseTo(1, 1);
  expect(predict("dynamodb", { reads: 0, writes: [] }, 700)).toBe(700);
});

it("is more than the sum of medians for several skewed trips, and less than the sum of means", () => {
  const { medianUs, p99Us } = emulationProfiles.s3.read;
  const sigma = Math.log(p99Us / medianUs) / 2.326;
  const four = predict("s3", { reads: 4, writes: [] });
  expect(four).toBeGreaterThan(4 * medianUs);
  expect(four).toBeLessThan(4 * medianUs * Math.exp(sigma ** 2 / 2));
});

it("takes the slowest of parallel writes, and one request for a batch", () => {
  const { s3, dynamodb } = emulationProfiles;
  expect(predict("s3", { reads: 0, writes: [10] })).toBeGreaterThan(3 * s3.write.medianUs);
  const batch = predict("dynamodb", { reads: 0, writes: [10] });
  const expected = dynamodb.write.medianUs + 9 * dynamodb.perFurtherItemUs;
  expect(batch / expected).toBeCloseTo(1, 1);
});

it("takes a fraction of a read as a chance", () => {
  const rare = predict("elasticache", { reads: 0.1, writes: [1] });
  const never = predict("elasticache", { reads: 0, writes: [1] });
  const always = predict("elasticache", { reads: 1, writes: [1] });
  expect(rare).toBeGreaterThan(never);
  expect(rare).toBeLessThan((never + always) / 2);
});
