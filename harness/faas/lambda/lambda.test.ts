/**
 * Goal    What is planned, printed, read and charged is right without any endpoint.
 * Method  Dry run, log lines in the service's form, sums by hand.
 */
import { describe, expect, it } from "vitest";
import { testFunction } from "../platform.contract.ts";
import { createApiDeployment } from "./api-deployment.ts";
import { createDryRun } from "./control-plane.ts";
import { CostMeter, estimateCostUsd } from "./cost.ts";
import { readReportLine } from "./report-line.ts";
import { checkLambdaSettings, defaultLambdaSettings, isAws } from "./settings.ts";

const settings = defaultLambdaSettings;

it("a dry run prints every call in order, without archives and without values of the environment", async () => {
  const lines: string[] = [];
  const deployment = createApiDeployment({
    control: createDryRun((line) => lines.push(line)),
    settings: { ...settings, provisionedConcurrency: 2 },
    roleArn: "arn:aws:iam::1:role/r",
    deploymentId: "d1",
  });
  await deployment.deploy([testFunction("echo", { environment: { PASSWORD: "secret" } })]);
  const operations = lines.map((line) => (JSON.parse(line) as { operation: string }).operation);
  expect(operations).toEqual([
    "GetFunction",
    "CreateFunction",
    "PutFunctionConcurrency",
    "PublishVersion",
    "CreateAlias",
    "PutProvisionedConcurrencyConfig",
  ]);
  expect(lines[1]).toMatch(/"ZipFile":"<\d+ bytes>"/);
  expect(lines[1]).toContain('"Variables":["PASSWORD"]');
  expect(lines.join()).not.toContain("secret");
  await deployment.tearDown();
  // The account remembers, so that the calls of the tear-down are printed too.
  expect(lines.at(-1)).toContain("DeleteFunction");
});

describe("the REPORT line", () => {
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const report =
    "REPORT RequestId: 3604209a\tDuration: 12.34 ms\tBilled Duration: 13 ms\t" +
    "Memory Size: 128 MB\tMax Memory Used: 66 MB\t";

  it("is read warm and cold", () => {
    const warm = { durationMs: 12.34, billedMs: 13, maxMemoryMiB: 66 };
    expect(readReportLine(encode(`END\n${report}\n`))).toEqual(warm);
    const cold = `${report}Init Duration: 123.45 ms\t\n`;
    expect(readReportLine(encode(cold))).toEqual({ ...warm, initMs: 123.45 });
  });

  it("is not made up where there is none", () => {
    expect(readReportLine(undefined)).toBeUndefined();
    expect(readReportLine(encode("START\nEND\n"))).toBeUndefined();
  });
});

describe("cost", () => {
  const sized = { memoryMiB: 1_024, architecture: "x86_64" as const };

  it("is requests and GiB seconds of the price table, and of provisioned instances", () => {
    const load = { invocations: 1_000_000, billedMs: 100, seconds: 0 };
    expect(estimateCostUsd(sized, load)).toBeCloseTo(0.2 + 1.66667, 4);
    const ready = { invocations: 0, billedMs: 0, seconds: 3_600 };
    const provisioned = { ...sized, provisionedConcurrency: 10 };
    expect(estimateCostUsd(provisioned, ready)).toBeCloseTo(0.15, 3);
  });

  it("never passes the ceiling, whatever is under way", () => {
    const meter = new CostMeter({ ...sized, maxCostUsd: 0.000_04 });
    const first = meter.reserve(1_000);
    const second = meter.reserve(1_000);
    expect(second).toBeDefined();
    expect(meter.reserve(1_000)).toBeUndefined();
    first?.settle(1);
    expect(meter.reserve(1_000)).toBeDefined();
  });
});

it("refuses settings with all that is wrong about them", () => {
  const wrong = { ...settings, memoryMiB: 64, maxCostUsd: 0, endpoint: "no url" };
  expect(() => {
    checkLambdaSettings(wrong);
  }).toThrow(/lambda-memory[\s\S]*max-cost-usd[\s\S]*lambda-endpoint/);
});

it("calls AWS only what is AWS", () => {
  expect(isAws(undefined)).toBe(true);
  expect(isAws("https://lambda.eu-west-1.amazonaws.com")).toBe(true);
  expect(isAws("http://127.0.0.1:3002")).toBe(false);
  expect(isAws("http://amazonaws.com.example.org")).toBe(false);
});
