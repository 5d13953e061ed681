/**
 * Goal    A role's name becomes its ARN where somebody can tell, and nothing is made up where nobody can.
 * Method  The real IAM client against a server on loopback that answers in the service's form.
 */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ConfigError, NotAvailableError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { openLambda } from "./open.ts";
import { resolveRole } from "./role.ts";
import { defaultLambdaSettings, type LambdaTarget } from "./settings.ts";

const onAws = { ...defaultLambdaSettings, role: "mine" };
const arn = "arn:aws:iam::123456789012:role/path/mine";

let server: Server;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const name = new URLSearchParams(body).get("RoleName") ?? "";
      asked.push(name);
      const [status, xml] =
        name === "mine"
          ? [200, `<GetRoleResponse><GetRoleResult><Role><Arn>${arn}</Arn></Role></GetRoleResult>`]
          : [404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error>"];
      response.writeHead(status, { "content-type": "text/xml" });
      response.end(`${xml}</${status === 200 ? "GetRoleResponse" : "ErrorResponse"}>`);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  vi.stubEnv("AWS_ENDPOINT_URL_IAM", `http://127.0.0.1:${port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "none");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "none");
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

describe("the role of functions", () => {
  it("is asked of IAM by its name", async () => {
    expect(await resolveRole(onAws)).toBe(arn);
    expect(asked).toEqual(["mine"]);
  });

  it("is refused with what to do where the account has none of that name", async () => {
    await expect(resolveRole({ ...onAws, role: "nobody" })).rejects.toThrow(
      /--lambda-role: the account has no role "nobody" \(make one/,
    );
  });

  it("stays as it is as an ARN, and nobody is asked", async () => {
    asked.length = 0;
    expect(await resolveRole({ ...onAws, role: arn })).toBe(arn);
    expect(asked).toEqual([]);
  });

  it("stands for itself where the endpoint has no accounts, and that is said", async () => {
    const said: string[] = [];
    const settings = { ...onAws, endpoint: "http://127.0.0.1:1" };
    const found = await resolveRole(settings, (line) => said.push(line));
    expect(found).toBe("arn:aws:iam::000000000000:role/mine");
    expect(said.join()).toContain("not looked up");
  });
});

describe("the platform lambda", () => {
  const clock = createSystemClock();
  const target: LambdaTarget = { settings: onAws, credentials: true, ceilingNamed: true };
  const open = (lambda?: LambdaTarget): Promise<unknown> =>
    openLambda({ clock, ...(lambda !== undefined && { lambda }) });

  it.each([
    ["nobody named one", undefined, /nothing is spent on AWS unasked.*--lambda-endpoint/],
    ["there are no credentials", { ...target, credentials: false }, /no AWS credentials.*AWS_PROF/],
    ["nobody named a sum", { ...target, ceilingNamed: false }, /AWS charges.*--max-cost-usd/],
    [
      "nobody answers at the endpoint",
      { ...target, settings: { ...onAws, endpoint: "http://127.0.0.1:9" } },
      /nothing at http:\/\/127.0.0.1:9 answers.*--lambda-endpoint local/,
    ],
  ])("is not there when %s, and says how to have it", async (_when, lambda, says) => {
    const opening = open(lambda);
    await expect(opening).rejects.toBeInstanceOf(NotAvailableError);
    await expect(opening).rejects.toThrow(says);
  });

  it("does not start with a role that the account does not have", async () => {
    const settings = { ...onAws, role: "nobody" };
    await expect(open({ ...target, settings })).rejects.toBeInstanceOf(ConfigError);
  });
});
