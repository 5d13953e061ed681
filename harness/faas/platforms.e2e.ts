/**
 * Goal    The platforms behave as Lambda does, and the local one speaks its API.
 * Method  One contract for all; the AWS SDK, curl and autocannon against the local one; the process
 *         table after its parent was killed.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GetFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import autocannon from "autocannon";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createInlinePlatform } from "./inline/platform.ts";
import { createLocalPlatform, type LocalPlatform } from "./local/platform.ts";
import { testFunction } from "./platform.contract.ts";
import { describePlatformContract } from "./testing/describe-platform-contract.ts";

const run = promisify(execFile);
const clock = createSystemClock();

describePlatformContract("inline", () => Promise.resolve(createInlinePlatform({ clock })));
describePlatformContract("local", () => createLocalPlatform({ clock }));

describe("the Lambda API of the local platform", () => {
  let platform: LocalPlatform;
  let lambda: LambdaClient;
  const url = (name: string): string =>
    `${platform.endpoint}/2015-03-31/functions/${name}/invocations`;

  beforeAll(async () => {
    platform = await createLocalPlatform({ clock, eventRetryPausesMs: [20, 40] });
    await platform.deploy([
      testFunction("echo"),
      testFunction("fail"),
      testFunction("crash"),
      testFunction("die"),
      testFunction("hold", { timeoutMs: 30_000 }),
      testFunction("slow", { timeoutMs: 300, concurrencyLimit: 1 }),
    ]);
    lambda = new LambdaClient({
      endpoint: platform.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
      maxAttempts: 1,
    });
  });
  afterAll(async () => {
    lambda.destroy();
    await platform.close();
  });

  const invoke = (FunctionName: string, payload: unknown, more = {}) =>
    lambda.send(
      new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(payload)), ...more }),
    );

  it("answers the AWS SDK: result, log tail, dry run, ARN, GetFunction", async () => {
    const answer = await invoke("echo", { x: 1 }, { LogType: "Tail" });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
    expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toMatchObject({
      payload: { x: 1 },
    });
    expect(Buffer.from(answer.LogResult ?? "", "base64").toString()).toContain("REPORT RequestId");
    expect((await invoke("echo", {}, { InvocationType: "DryRun" })).StatusCode).toBe(204);
    const arn = "arn:aws:lambda:us-east-1:000000000000:function:echo";
    expect((await invoke(arn, {})).StatusCode).toBe(200);
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: "echo" }));
    expect(Configuration?.FunctionName).toBe("echo");
  });

  it("answers the AWS SDK: function error, crash, time-out, throttling, unknown, too large", async () => {
    const failed = await invoke("fail", { message: "on purpose" });
    expect(failed.FunctionError).toBe("Unhandled");
    expect(JSON.parse(failed.Payload?.transformToString() ?? "")).toMatchObject({
      errorType: "TypeError",
      errorMessage: "on purpose",
    });
    const crashed = await invoke("crash", {});
    expect(crashed.Payload?.transformToString()).toContain("Runtime.ExitError");
    const late = await invoke("slow", { ms: 2_000 });
    expect(late.Payload?.transformToString()).toContain("Task timed out after 0.30 seconds");
    const both = await Promise.allSettled([
      invoke("slow", { ms: 200 }),
      invoke("slow", { ms: 200 }),
    ]);
    const refused = both.find(({ status }) => status === "rejected");
    expect((refused as PromiseRejectedResult).reason).toMatchObject({
      name: "TooManyRequestsException",
      $metadata: { httpStatusCode: 429 },
    });
    await expect(invoke("nobody", {})).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(invoke("echo", "x".repeat(6_400_000))).rejects.toMatchObject({
      name: "RequestTooLargeException",
    });
  });

  it("kills an instance that asks for it, and passes its last words on", async () => {
    const { instancesLost } = await platform.stats();
    const outcome = await platform.invoke("die", { words: "failed on purpose: {}" });
    expect(outcome).toMatchObject({
      kind: "instanceLost",
      message: expect.stringMatching(/exited with SIGKILL; failed on purpose: \{\}$/) as string,
    });
    expect((await platform.stats()).instancesLost).toBe(instancesLost + 1);
  });

  it("runs an Event later, and retries it twice with the same request id", async () => {
    const before = (await platform.stats()).functionErrors;
    expect((await invoke("fail", { message: "x" }, { InvocationType: "Event" })).StatusCode).toBe(
      202,
    );
    const deadline = Date.now() + 5_000;
    while ((await platform.stats()).functionErrors < before + 3 && Date.now() < deadline)
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    expect((await platform.stats()).functionErrors).toBe(before + 3);
  });

  it("answers curl", async () => {
    const { stdout } = await run("curl", ["-s", "-i", "-d", '{"from":"curl"}', url("echo")]);
    expect(stdout).toMatch(/^HTTP\/1.1 200/);
    expect(stdout).toContain('"from":"curl"');
    const bad = await run("curl", ["-s", "-i", "-d", "{not json", url("echo")]);
    expect(bad.stdout).toContain("InvalidRequestContentException");
  });

  it("is driven by autocannon, in a closed loop without a rate", async () => {
    const result = await autocannon({
      url: url("echo"),
      method: "POST",
      body: "{}",
      connections: 4,
      amount: 400,
    });
    expect(result["2xx"]).toBe(400);
    expect(result.non2xx + result.errors + result.timeouts).toBe(0);
  });

  it("keeps instances apart, and one invocation at a time in each", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aft-bench-hold-"));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    // Each stays until all four are there.
    const hold = (): Promise<unknown> =>
      platform
        .invoke("hold", { folder, together: 4 })
        .then((outcome) => outcome.kind === "ok" && outcome.result);
    const ids = new Set(await Promise.all([hold(), hold(), hold(), hold()]));
    expect(ids).not.toContain(false);
    expect(ids.size).toBe(4);
  });

  it("listens on loopback only", () => {
    const port = Number(new URL(platform.endpoint).port)
      .toString(16)
      .toUpperCase()
      .padStart(4, "0");
    const sockets = ["tcp", "tcp6"].flatMap((family) =>
      readFileSync(`/proc/net/${family}`, "utf8").split("\n"),
    );
    const listening = sockets.filter((line) => line.includes(`:${port} `) && line.includes(" 0A "));
    expect(listening).toHaveLength(1);
    expect(listening[0]).toContain("0100007F:");
  });
});

it("leaves no process behind when its parent is killed", async () => {
  const url = (path: string): string => fileURLToPath(import.meta.resolve(path));
  const script = `
    const { createLocalPlatform } = await import(${JSON.stringify(url("./local/platform.ts"))});
    const { createSystemClock } = await import(${JSON.stringify(url("#kit/node/system-clock.ts"))});
    const { startStorageService } = await import(${JSON.stringify(url("#harness/services/registry.ts"))});
    const platform = await createLocalPlatform({ clock: createSystemClock() });
    const store = await startStorageService("dynamodb");
    await platform.deploy([${JSON.stringify(testFunction("echo"))}]);
    await platform.invoke("echo", null);
    console.log(JSON.stringify([...platform.pids, ...store.pids]));
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: url("#harness/faas/port.ts").replace("/harness/faas/port.ts", ""),
  });
  const line = await new Promise<string>((resolve) => {
    parent.stdout.once("data", (data: Buffer) => {
      resolve(data.toString());
    });
  });
  const pids = JSON.parse(line) as number[];
  const children = pids.flatMap((pid) => childrenOf(pid));
  expect(children.length).toBeGreaterThan(0);
  parent.kill("SIGKILL");
  const deadline = Date.now() + 5_000;
  while ([...pids, ...children].some(isAlive) && Date.now() < deadline)
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  expect([...pids, ...children].filter(isAlive)).toEqual([]);
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
