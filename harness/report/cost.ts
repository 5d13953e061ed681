/**
 * @module What a million transactions would cost by list prices, computed from measured counts. Pure.
 *
 *   storage reads, writes   values and records as the replica counted them, or as functions asked for them
 *   deletions               what is written as a version of its own is deleted once; plain storage overwrites
 *   functions               invocations, and the time in them (never the platform's own)
 *   replica                 CPU seconds it used, at the price of a vCPU: a replica that is fully used
 *
 * Not in it: bytes stored, data transfer, logs, machines that stand idle, the fault manager. Only services that charge
 * by request are computed; ElastiCache charges by the hour.
 */
import type { RunSummary } from "#harness/record/run.ts";
import type { PriceTable } from "#results/prices.ts";
import { storeName } from "./format.ts";

export const costParts = [
  "storage reads",
  "storage writes",
  "deletions",
  "functions",
  "replica",
] as const;
export type CostPart = (typeof costParts)[number];

export interface RunCost {
  /** USD for a million committed transactions. */
  readonly usd: Readonly<Record<CostPart, number>>;
  readonly total: number;
}

const million = 1_000_000;

/** Undefined where the service charges otherwise, or the record does not hold the counts. */
export function costOf(run: RunSummary, table: PriceTable): RunCost | undefined {
  const counts = countsOf(run);
  const store = priceOf(storeName(run.cell), run, table);
  if (counts === undefined || store === undefined) return undefined;
  const { values, records, reads, deletes } = counts;
  const functions = functionsUsd(run, table);
  if (functions === undefined) return undefined;
  const usd = {
    "storage reads": reads * store.read,
    "storage writes": values * store.writeValue + records * store.writeRecord,
    deletions: deletes ? values * store.deleteValue + records * store.deleteRecord : 0,
    functions,
    replica: replicaUsd(run, table),
  };
  const each = Object.fromEntries(costParts.map((part) => [part, usd[part] * million])) as Record<
    CostPart,
    number
  >;
  return { usd: each, total: costParts.reduce((sum, part) => sum + each[part], 0) };
}

interface Counts {
  readonly reads: number;
  readonly values: number;
  /** Commit records. */
  readonly records: number;
  readonly deletes: boolean;
}

/** A transaction's. */
function countsOf({ cell, storage, operations }: RunSummary): Counts | undefined {
  if (operations === undefined) return undefined;
  const { readsPerTransaction, writesPerTransaction } = operations;
  if (storage === null)
    return cell.system === "direct"
      ? { reads: readsPerTransaction, values: writesPerTransaction, records: 0, deletes: false }
      : undefined;
  const { itemsReadPerTransaction, itemsWrittenPerTransaction } = storage;
  if (itemsReadPerTransaction === undefined || itemsWrittenPerTransaction === undefined)
    return undefined;
  const records = Math.max(0, itemsWrittenPerTransaction - writesPerTransaction);
  return {
    reads: itemsReadPerTransaction,
    values: itemsWrittenPerTransaction - records,
    records,
    deletes: true,
  };
}

interface StorePrice {
  readonly read: number;
  readonly writeValue: number;
  readonly writeRecord: number;
  readonly deleteValue: number;
  readonly deleteRecord: number;
}

function priceOf(
  store: string,
  { operations }: RunSummary,
  { prices, assumptions }: PriceTable,
): StorePrice | undefined {
  if (store === "s3") {
    const put = prices.s3Put.usd;
    return {
      read: prices.s3Get.usd,
      writeValue: put,
      writeRecord: put,
      deleteValue: 0,
      deleteRecord: 0,
    };
  }
  if (store !== "dynamodb" || operations?.valueBytes === undefined) return undefined;
  const bytes = operations.valueBytes + assumptions.itemOverheadBytes;
  const write = prices.dynamodbWriteUnit.usd;
  const writeValue = Math.ceil(bytes / 1_024) * write;
  const writeRecord = Math.ceil(assumptions.commitRecordBytes / 1_024) * write;
  return {
    read: Math.ceil(bytes / 4_096) * prices.dynamodbReadUnit.usd,
    writeValue,
    writeRecord,
    deleteValue: writeValue,
    deleteRecord: writeRecord,
  };
}

/** A transaction's invocations and the time in them; a function that was lost is not in the means. */
function functionsUsd(run: RunSummary, { prices, assumptions }: PriceTable): number | undefined {
  const { split, platform, transactions } = run;
  const parts = [split?.cold, split?.warm].filter((part) => part !== undefined && part !== null);
  const requests = parts.reduce((sum, part) => sum + part.requests, 0);
  if (requests === 0 || transactions.committed === 0) return undefined;
  const us =
    parts.reduce((sum, part) => sum + (part.functionUs + part.stateUs) * part.requests, 0) /
    requests;
  const gibSeconds = (us / million) * assumptions.lambdaMemoryGib;
  return (
    gibSeconds * prices.lambdaGibSecond.usd +
    (platform.invocations / transactions.committed) * prices.lambdaRequest.usd
  );
}

function replicaUsd({ cpuCores, throughputPerSecond }: RunSummary, { prices }: PriceTable): number {
  const cores = Object.entries(cpuCores).reduce(
    (sum, [name, used]) => (name.startsWith("replica") ? sum + used : sum),
    0,
  );
  const seconds = throughputPerSecond === 0 ? 0 : cores / throughputPerSecond;
  return (seconds / 3_600) * prices.vcpuHour.usd;
}
