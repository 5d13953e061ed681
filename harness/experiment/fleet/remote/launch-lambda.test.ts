/**
 * Goal    A plan that cannot run on Lambda, or costs too much, is refused before the first call; a dry run
 *         shows every call.
 * Method  Hand cases without a network.
 */
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { defaultLambdaSettings, type LambdaTarget } from "#harness/faas/lambda/settings.ts";
import { checkForLambda, dryRunOnLambda } from "./launch-lambda.ts";
import { fleetPlan } from "./testing.ts";

const onAws: LambdaTarget = {
  settings: defaultLambdaSettings,
  credentials: true,
  ceilingNamed: true,
};
const elsewhere: LambdaTarget = {
  settings: { ...defaultLambdaSettings, endpoint: "http://127.0.0.1:4566" },
  credentials: false,
  ceilingNamed: false,
};
const local = fleetPlan({ system: { system: "aft", options: { endpoint: "127.0.0.1:6390" } } });

function refusal(plan: typeof local, target: LambdaTarget): string {
  try {
    checkForLambda({ plan, target });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("a plan for Lambda", () => {
  it("is refused when it takes longer than a function may", () => {
    expect(refusal(fleetPlan({ timeLimitSeconds: 901 }), onAws)).toMatch(/901 s, .* 900 s at most/);
    expect(refusal(fleetPlan({ timeLimitSeconds: 900 }), onAws)).toBe("");
  });

  it("is refused on AWS when it names addresses on loopback, elsewhere not", () => {
    expect(refusal(local, onAws)).toMatch(/loopback/);
    expect(refusal(local, elsewhere)).toBe("");
  });

  it("is reckoned with all of every part's time, and refused above the ceiling", () => {
    const plan = fleetPlan({ parts: 50, timeLimitSeconds: 900 });
    expect(refusal(plan, onAws)).toMatch(/50 parts cost up to 1\.\d+ USD .* above 1/);
    expect(checkForLambda({ plan: fleetPlan(), target: onAws })).toBeGreaterThan(0);
  });

  it("shows every call in a dry run, none of which holds the plan or a variable's value", async () => {
    const lines: string[] = [];
    const plan = fleetPlan({ parts: 2 });
    await dryRunOnLambda({
      plan,
      text: JSON.stringify(plan),
      target: onAws,
      git: plan.git,
      print: (line) => lines.push(line),
    });
    expect(lines.map((line) => (JSON.parse(line) as { operation: string }).operation)).toEqual([
      ..."GetRole GetFunction CreateFunction PutFunctionConcurrency PublishVersion".split(" "),
      ..."CreateAlias Invoke Invoke GetFunction DeleteFunction".split(" "),
    ]);
    expect(lines.join("\n")).not.toContain("replica:6390");
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ input: { Timeout: 100 } });
    expect(JSON.parse(lines[6] ?? "")).toMatchObject({ part: "part 1 of 2" });
  });
});
