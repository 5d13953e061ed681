/**
 * Goal    What was said about Lambda is understood as a whole, or refused before anything starts or costs.
 */
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { checkReach } from "#harness/experiment/lambda-place.ts";
import { retries } from "#bench/experiments/retries.ts";
import { overhead } from "#bench/experiments/overhead.ts";
import { announceCost, estimateRunUsd, lambdaPlaceOf, withPlatform } from "./lambda-target.ts";

const endpoint = { lambdaEndpoint: "http://127.0.0.1:3002" };

describe("flags of Lambda", () => {
  it("say nothing when there are none", () => {
    expect(lambdaPlaceOf({}, { AWS_PROFILE: "mine" })).toBeUndefined();
  });

  it("name endpoint, role, size, network and ceiling", () => {
    const flags = {
      ...endpoint,
      lambdaRole: "r",
      lambdaMemory: 512,
      lambdaSubnets: "a,b",
      lambdaSecurityGroups: "g",
      lambdaStore: "redis://10.0.0.1:6379",
      lambdaAft: "10.0.0.2:6390",
      maxCostUsd: 0.5,
    };
    expect(lambdaPlaceOf(flags, { AWS_REGION: "eu-west-1" })).toMatchObject({
      target: {
        settings: {
          endpoint: endpoint.lambdaEndpoint,
          region: "eu-west-1",
          role: "r",
          memoryMiB: 512,
          maxCostUsd: 0.5,
          vpc: { subnetIds: ["a", "b"], securityGroupIds: ["g"] },
        },
        credentials: false,
        ceilingNamed: true,
      },
      store: { engine: "redis", urls: ["redis://10.0.0.1:6379"] },
      aftEndpoint: "10.0.0.2:6390",
    });
  });

  it.each([
    { lambdaEndpoint: "nowhere" },
    { maxCostUsd: Number.NaN },
    { ...endpoint, lambdaMemory: 1 },
    { ...endpoint, lambdaSubnets: "a" },
    { ...endpoint, lambdaStore: "redis://user:secret@10.0.0.1:6379" },
  ])("refuses %o", (flags) => {
    expect(() => lambdaPlaceOf(flags, {})).toThrow(ConfigError);
  });

  it("does not repeat a password it refuses", () => {
    expect(() => lambdaPlaceOf({ lambdaStore: "redis://u:secret@h:1" }, {})).not.toThrow(/secret/);
  });
});

describe("--platform", () => {
  const cells = overhead.cells("smoke");

  it("moves every cell, and only the platform's own where an experiment compares platforms", () => {
    const moved = withPlatform(cells, { platform: "lambda" });
    expect(moved).toHaveLength(cells.length);
    expect(moved.every(({ cell }) => cell.platform === "lambda")).toBe(true);
    const own = withPlatform(retries.cells("smoke"), { platform: "local" });
    expect(own.length).toBeLessThan(retries.cells("smoke").length);
  });

  it("refuses unknown platforms, and several generators where one process calls the functions", () => {
    expect(() => withPlatform(cells, { platform: "moon" })).toThrow(/known: inline, local/);
    const shared = cells.map((plan) => ({ ...plan, load: { ...plan.load, generators: 2 } }));
    expect(() => withPlatform(shared, { platform: "lambda" })).toThrow(/--generators/);
  });

  it("leaves no cell that its functions could not serve", () => {
    const place = lambdaPlaceOf(endpoint, {});
    for (const plan of withPlatform(cells, { platform: "lambda" })) {
      const reaches = !["memory", "lmdb"].includes(plan.storage.service);
      const check = (): void => {
        checkReach(plan, place);
      };
      if (reaches) expect(check).not.toThrow();
      else expect(check).toThrow(/cannot be opened by a function/);
    }
  });

  it("refuses stores on loopback for AWS", () => {
    const place = lambdaPlaceOf({ maxCostUsd: 1 }, { AWS_PROFILE: "mine" });
    const plan = withPlatform(cells, { platform: "lambda" }).find(
      ({ cell }) => cell.storage === "redis",
    );
    if (plan === undefined) throw new Error("overhead has a cell over redis");
    expect(() => {
      checkReach(plan, place);
    }).toThrow(/do not reach this machine.*--lambda-store/);
  });
});

describe("the estimate", () => {
  const cells = withPlatform(overhead.cells("paper"), { platform: "lambda" });
  const place = (maxCostUsd: number, lambdaEndpoint?: string) =>
    lambdaPlaceOf({ maxCostUsd, ...(lambdaEndpoint !== undefined && { lambdaEndpoint }) }, {});
  const announce = (where: ReturnType<typeof place>): string[] => {
    const said: string[] = [];
    if (where !== undefined) announceCost(cells, where, (line) => said.push(line));
    return said;
  };

  it("is said before the start, and whether it is charged", () => {
    expect(announce(place(100))[0]).toMatch(/USD on AWS/);
    expect(announce(place(100, "http://127.0.0.1:1"))[0]).toMatch(/nothing is charged here/);
  });

  it("above the ceiling starts nothing", () => {
    expect(() => announce(place(0.01))).toThrow(/--max-cost-usd.*above 0.01/);
  });

  it("grows with the requests", () => {
    const { settings } = place(1)?.target ?? {};
    if (settings === undefined) throw new Error("a sum was named");
    const small = withPlatform(overhead.cells("smoke"), { platform: "lambda" });
    expect(estimateRunUsd(cells, settings)).toBeGreaterThan(estimateRunUsd(small, settings));
    expect(estimateRunUsd(overhead.cells("paper"), settings)).toBe(0);
  });
});
