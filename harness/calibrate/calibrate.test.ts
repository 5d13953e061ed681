/**
 * Goal    What calibration compares with is right: truth, fits, certificates.
 * Method  Hand cases and values from tables.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeMachine } from "#harness/metrics/machine.ts";
import {
  CertificateError,
  certificatePath,
  certify,
  readCertificate,
  referenceTo,
  writeCertificate,
} from "./certificate.ts";
import { chiSquareFit } from "./chi-square.ts";
import { exactPercentile, trueResponseTimes } from "./truth.ts";

describe("trueResponseTimes", () => {
  const server = { delayUs: 20, stall: { startUs: 1_000, endUs: 2_000 } };
  it.each([
    ["before the standstill", 900, 20],
    ["with its answer due in it", 990, 1_010],
    ["in it", 1_500, 520],
    ["at its end", 2_000, 20],
  ])("of a request %s", (_when, due, expected) => {
    expect(trueResponseTimes([due], server)).toEqual([expected]);
  });
});

it("takes the smallest value that so many are at or below", () => {
  expect(exactPercentile([4, 1, 3, 2], 0.5)).toBe(2);
  expect(exactPercentile([4, 1, 3, 2], 0.99)).toBe(4);
});

describe("chiSquareFit", () => {
  it("gives the table's tail: 67.50 is the 5 % point of 50 degrees, 124.34 of 100", () => {
    // Counts built so that the statistic is known: one class off by the root of it.
    const fit = (classes: number, statistic: number): number => {
      const expected = 1_000;
      const off = Math.sqrt((statistic * expected) / 2);
      const counts = Array.from({ length: classes }, () => expected);
      counts[0] = expected + off;
      counts[1] = expected - off;
      return chiSquareFit(
        counts,
        counts.map(() => 1 / classes),
      ).p;
    };
    expect(fit(51, 67.505)).toBeCloseTo(0.05, 3);
    expect(fit(101, 124.342)).toBeCloseTo(0.05, 3);
  });

  it("puts classes together until each is expected at least five times", () => {
    const { degrees } = chiSquareFit(
      [10, 1, 1, 1, 1, 1, 1],
      [0.6, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05],
    );
    expect(degrees).toBe(1);
  });

  it("finds a wrong skew", () => {
    expect(chiSquareFit([550, 450], [0.5, 0.5]).p).toBeLessThan(0.01);
  });
});

describe("certificates", () => {
  const machine = describeMachine();
  const check = { id: "x", title: "x", passed: true, failures: [], figures: { p50Ms: 1 } };
  const content = {
    createdAtMs: 1,
    machine,
    versions: {},
    git: { commit: "abc", dirty: false },
    checks: [check],
  };

  it("pass only when every check does, and hash everything", () => {
    const good = certify(content);
    expect(good.passed).toBe(true);
    const bad = certify({ ...content, checks: [check, { ...check, passed: false }] });
    expect(bad.passed).toBe(false);
    expect(bad.hash).not.toBe(good.hash);
    expect(referenceTo(good, machine)).toMatchObject({ hash: good.hash, sameMachine: true });
    expect(referenceTo(good, { ...machine, cores: 64 }).sameMachine).toBe(false);
  });

  it("survive their file, and are refused once somebody has changed it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "aft-bench-certificate-"));
    try {
      const path = certificatePath(directory);
      expect(await readCertificate(path)).toBeUndefined();
      await writeCertificate(path, certify(content));
      expect(await readCertificate(path)).toEqual(certify(content));
      writeFileSync(path, readFileSync(path, "utf8").replace('"p50Ms": 1', '"p50Ms": 2'));
      await expect(readCertificate(path)).rejects.toThrow(CertificateError);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
