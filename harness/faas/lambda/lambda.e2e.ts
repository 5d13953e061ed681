/**
 * Goal    Functions run through the Lambda API wherever it is spoken, and nothing of them is left behind.
 * Method  The platforms' contract and the service's own behaviour against our local platform, whose control
 *         plane is called for everything; the same functions on serverless-offline, which is not ours.
 */
import { fileURLToPath } from "node:url";
import { type LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createLocalPlatform, type LocalPlatform } from "../local/platform.ts";
import { testFunction } from "../platform.contract.ts";
import { describePlatformContract } from "../testing/describe-platform-contract.ts";
import { createApiDeployment, ForeignFunctionError } from "./api-deployment.ts";
import { bundleFunction } from "./bundle.ts";
import { createControlPlane } from "./control-plane.ts";
import {
  createLambdaClient,
  createLambdaPlatform,
  type InvocationDetail,
  type LambdaPlatform,
} from "./platform.ts";
import { createServerlessDeployment } from "./serverless-offline.ts";
import { defaultLambdaSettings, type LambdaSettings } from "./settings.ts";

const clock = createSystemClock();
const suiteFunction = fileURLToPath(import.meta.resolve("#workloads/functions/handler.ts"));

interface Opened {
  readonly platform: LambdaPlatform;
  readonly client: LambdaClient;
  readonly details: InvocationDetail[];
}

function openOn(
  endpoint: string,
  deploymentId: string,
  more: Partial<LambdaSettings> = {},
): Opened {
  const settings: LambdaSettings = { ...defaultLambdaSettings, endpoint, ...more };
  const client = createLambdaClient(settings);
  const deployment = createApiDeployment({
    control: createControlPlane(client),
    settings,
    roleArn: "arn:aws:iam::000000000000:role/none",
    deploymentId,
  });
  const details: InvocationDetail[] = [];
  const onDetail = (_outcome: unknown, detail: InvocationDetail): void => {
    details.push(detail);
  };
  const platform = createLambdaPlatform({ settings, deployment, clock, tailLogs: true, onDetail });
  return { platform, client, details };
}

async function namesOn(client: LambdaClient): Promise<(string | undefined)[]> {
  const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
  return Functions.map(({ FunctionName }) => FunctionName);
}

describe("the lambda platform on our local platform", () => {
  let local: LocalPlatform;
  beforeAll(async () => {
    local = await createLocalPlatform({ clock, eventRetryPausesMs: [20, 40] });
  });
  afterAll(() => local.close());

  describePlatformContract(
    "lambda",
    () => Promise.resolve(openOn(local.endpoint, "contract").platform),
    { kills: false, shortestTimeoutMs: 1_000 },
  );

  it("reads init and billed durations from the log tail", async () => {
    const { platform, details } = openOn(local.endpoint, "tail");
    await platform.deploy([testFunction("echo")]);
    await platform.invoke("echo", null);
    await platform.invoke("echo", null);
    await platform.close();
    expect(details[0]?.report?.initMs).toBeGreaterThan(0);
    expect(details[1]?.report?.initMs).toBeUndefined();
    expect(details[1]?.report?.billedMs).toBeGreaterThanOrEqual(1);
    expect(details[1]?.functionUs).toBeGreaterThan(0);
  });

  it("has an Event tried again twice, as Lambda does", async () => {
    const { platform } = openOn(local.endpoint, "event");
    await platform.deploy([testFunction("fail")]);
    const before = (await local.stats()).functionErrors;
    expect(await platform.invokeEvent("fail", { message: "x" })).toBe("accepted");
    await expect
      .poll(async () => (await local.stats()).functionErrors, { timeout: 10_000 })
      .toBe(before + 3);
    await platform.close();
  });

  it("deploys again over what it deployed, and takes away that and nothing else", async () => {
    const mine = openOn(local.endpoint, "mine");
    const other = openOn(local.endpoint, "other");
    await mine.platform.deploy([testFunction("echo")]);
    await other.platform.deploy([testFunction("echo")]);
    await mine.platform.deploy([testFunction("echo", { environment: { SETTING: "new" } })]);
    expect(await mine.platform.invoke("echo", null)).toMatchObject({
      kind: "ok",
      result: { setting: "new" },
    });
    await mine.platform.close();
    expect(await namesOn(other.client)).toContain("echo-other");
    expect(await namesOn(other.client)).not.toContain("echo-mine");
    await other.platform.close();
  });

  it("does not touch a function of the same name that has not its tag", async () => {
    const { platform, client } = openOn(local.endpoint, "theirs");
    const { zip } = await bundleFunction(testFunction("echo"));
    const input = { FunctionName: "echo-theirs", Code: { ZipFile: zip }, Handler: "index.handler" };
    await createControlPlane(client).call({ operation: "CreateFunction", input });
    await expect(platform.deploy([testFunction("echo")])).rejects.toBeInstanceOf(
      ForeignFunctionError,
    );
    await platform.close();
    expect(await namesOn(client)).toEqual(["echo-theirs"]);
    client.destroy();
  });

  it("runs the suite's own function, which imports every store", async () => {
    const { platform } = openOn(local.endpoint, "suite");
    const system = { system: "direct", options: { storage: { target: { engine: "memory" } } } };
    const environment = { AFT_BENCH_SYSTEM: JSON.stringify(system) };
    await platform.deploy([
      { ...testFunction("handler", { environment }), modulePath: suiteFunction },
    ]);
    const request = {
      requestId: "r",
      operations: [{ kind: "read", key: "k" }],
      writeSet: [],
      sequenceBase: 0,
      payloadSeed: 1,
      valueBytes: 64,
      last: true,
    };
    expect(await platform.invoke("handler", request)).toMatchObject({
      kind: "ok",
      result: { commit: { kind: "committed" } },
    });
    await platform.close();
  });

  it("stops at the cost ceiling before it is passed", async () => {
    const { platform } = openOn(local.endpoint, "poor", { maxCostUsd: 0.000_25 });
    await platform.deploy([testFunction("echo", { timeoutMs: 5_000 })]);
    const outcomes = [];
    for (let at = 0; at < 4; at += 1)
      outcomes.push(platform.invoke("echo", null).then(({ kind }) => kind));
    expect(await Promise.all(outcomes)).toEqual(["ok", "ok", "platformError", "platformError"]);
    expect(platform.spentUsd()).toBeLessThan(0.000_25);
    await platform.close();
  });
});

describe("the lambda platform on serverless-offline", () => {
  let platform: LambdaPlatform;
  let endpoint: string | undefined;
  beforeAll(async () => {
    const deployment = createServerlessDeployment();
    platform = createLambdaPlatform({ settings: defaultLambdaSettings, deployment, clock });
    await platform.deploy([
      testFunction("echo"),
      testFunction("fail"),
      testFunction("slow", { timeoutMs: 1_000 }),
    ]);
    ({ endpoint } = deployment);
  }, 90_000);
  afterAll(() => platform.close());

  it("runs a function with payload and environment, cold and then warm", async () => {
    expect(platform.onAws).toBe(false);
    const first = await platform.invoke("echo", { a: [1, "ü", null] });
    expect(first).toMatchObject({
      kind: "ok",
      result: { payload: { a: [1, "ü", null] }, setting: "from the environment" },
      timings: { coldStart: true },
    });
    expect((await platform.invoke("echo", 1)).timings.coldStart).toBe(false);
  });

  it("tells a function error, a time-out and an unknown function apart", async () => {
    expect(await platform.invoke("fail", { message: "on purpose" })).toMatchObject({
      kind: "functionError",
      message: "on purpose",
    });
    expect(await platform.invoke("slow", { ms: 3_000 })).toMatchObject({ kind: "timeout" });
    expect(await platform.invoke("nobody", null)).toMatchObject({ kind: "platformError" });
  });

  it("accepts an Event", async () => {
    expect(await platform.invokeEvent("echo", 1)).toBe("accepted");
  });

  it("is reached where it is after it was deployed again, with a cold start", async () => {
    await platform.deploy([testFunction("echo")]);
    const again = await platform.invoke("echo", 1);
    expect(again).toMatchObject({ kind: "ok", timings: { coldStart: true } });
    // Beside the exchange, the client's own work took some time; the service reports nothing.
    const { startUs, endUs, exchangeUs = 0, billedMs } = again.timings;
    expect(exchangeUs).toBeGreaterThan(0);
    expect(exchangeUs).toBeLessThan(endUs - startUs);
    expect(billedMs).toBeUndefined();
  });

  it("leaves nothing that answers after tear-down", async () => {
    await platform.close();
    await expect(fetch(`${endpoint}/2015-03-31/functions/echo/invocations`)).rejects.toThrow();
  });
});
