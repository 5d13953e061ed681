/** @module The price table: list prices as data, each with its date and where it is from. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const price = z.strictObject({
  usd: z.number().positive(),
  unit: z.string(),
  asOf: z.string().regex(/^\d{4}-\d{2}$/),
  source: z.string(),
});

const pricesSchema = z.strictObject({
  what: z.string(),
  region: z.string(),
  currency: z.literal("USD"),
  prices: z.strictObject({
    dynamodbReadUnit: price,
    dynamodbWriteUnit: price,
    s3Get: price,
    s3Put: price,
    lambdaRequest: price,
    lambdaGibSecond: price,
    vcpuHour: price,
  }),
  assumptions: z.strictObject({
    /** Of a function; Lambda charges for it whether it is used or not. */
    lambdaMemoryGib: z.number().positive(),
    /** Names of key and attributes, which DynamoDB counts into an item. */
    itemOverheadBytes: z.number(),
    /** Most a commit record has. */
    commitRecordBytes: z.number(),
  }),
});

export type PriceTable = z.infer<typeof pricesSchema>;

/** Reads and checks prices.json. */
export function loadPrices(): PriceTable {
  return pricesSchema.parse(
    JSON.parse(readFileSync(new URL("prices.json", import.meta.url), "utf8")),
  );
}
