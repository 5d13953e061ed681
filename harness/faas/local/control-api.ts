/**
 * @module The part of the Lambda API that creates, changes and deletes functions, for loopback only.
 *
 *   POST   /2015-03-31/functions                               CreateFunction
 *   PUT    /2015-03-31/functions/{name}/code                   UpdateFunctionCode
 *   PUT    /2015-03-31/functions/{name}/configuration          UpdateFunctionConfiguration
 *   POST   /2015-03-31/functions/{name}/versions               PublishVersion
 *   POST   /2015-03-31/functions/{name}/aliases                CreateAlias
 *   PUT    /2015-03-31/functions/{name}/aliases/{alias}        UpdateAlias
 *   PUT    /2017-10-31/functions/{name}/concurrency            PutFunctionConcurrency
 *   POST   /2017-03-31/tags/{arn}                              TagResource
 *   DELETE /2015-03-31/functions/{name}                        DeleteFunction
 *
 * One version of each function runs: publishing numbers it, and an alias is only a name for it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { unzipSync } from "fflate";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import type { FunctionSpec } from "../port.ts";
import { InstancePool, type PoolCounters } from "./pool.ts";

/** What the API knows of a function beside what runs. */
export interface ControlledFunction {
  readonly spec: FunctionSpec;
  readonly pool: InstancePool;
  readonly folder?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly versions?: number;
  readonly aliases?: ReadonlySet<string>;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly errorType?: string;
}

/** Instances of a function whose concurrency nobody limited. */
const defaultConcurrency = 64;
/** Lambda's own limit of an unpacked archive. */
const maxUnzippedBytes = 250 * 1_048_576;

export class ControlApi {
  readonly #functions: Map<string, ControlledFunction>;
  readonly #counters: PoolCounters;

  constructor(functions: Map<string, ControlledFunction>, counters: PoolCounters) {
    this.#functions = functions;
    this.#counters = counters;
  }

  /** The answer, or undefined if the path is none of these. Never throws. */
  handle(method: string, path: string, text: string): ControlAnswer | undefined {
    const tagged = /^\/2017-03-31\/tags\/(.+)$/.exec(path);
    const match = /^\/20\d\d-\d\d-\d\d\/functions(?:\/([^/]+)(?:\/(.+))?)?\/?$/.exec(path);
    if (tagged === null && match === null) return undefined;
    let body: Record<string, unknown>;
    try {
      body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    } catch {
      return refusal(400, "InvalidRequestContentException", "the body is not JSON");
    }
    try {
      if (tagged !== null) return method === "POST" ? this.#tag(tagged[1] ?? "", body) : undefined;
      const [, name, rest = ""] = match ?? [];
      if (name === undefined) return method === "POST" ? this.#create(body) : undefined;
      return this.#change(`${method} ${rest}`, decodeURIComponent(name), body);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return refusal(400, "InvalidParameterValueException", message);
    }
  }

  close(): void {
    for (const [name] of this.#functions) this.#remove(name);
  }

  #change(what: string, name: string, body: Record<string, unknown>): ControlAnswer | undefined {
    const aliasName = /^PUT aliases\/([^/]+)$/.exec(what)?.[1];
    const known = [
      "PUT code",
      "PUT configuration",
      "POST versions",
      "POST aliases",
      "PUT concurrency",
      "DELETE ",
    ];
    if (!known.includes(what) && aliasName === undefined) return undefined;
    const found = this.#functions.get(name);
    if (found === undefined)
      return refusal(404, "ResourceNotFoundException", `Function not found: ${name}`);
    switch (what) {
      case "PUT code":
        this.#replace(name, { ...found, ...unpacked(found.spec, body) });
        return answer(200, this.describe(name));
      case "PUT configuration":
        this.#replace(name, { ...found, spec: configured(found.spec, body) });
        return answer(200, this.describe(name));
      case "POST versions": {
        const versions = (found.versions ?? 0) + 1;
        this.#functions.set(name, { ...found, versions });
        return answer(201, { ...this.describe(name), Version: String(versions) });
      }
      case "PUT concurrency": {
        const concurrencyLimit = Number(body["ReservedConcurrentExecutions"]);
        this.#replace(name, { ...found, spec: { ...found.spec, concurrencyLimit } });
        return answer(200, { ReservedConcurrentExecutions: concurrencyLimit });
      }
      case "DELETE ":
        this.#remove(name);
        return answer(204, undefined);
      default: {
        const alias = aliasName ?? String(body["Name"]);
        if (aliasName !== undefined && found.aliases?.has(alias) !== true)
          return refusal(404, "ResourceNotFoundException", `Alias not found: ${alias}`);
        const aliases = new Set([...(found.aliases ?? []), alias]);
        this.#functions.set(name, { ...found, aliases });
        const status = aliasName === undefined ? 201 : 200;
        return answer(status, { Name: alias, FunctionVersion: body["FunctionVersion"] });
      }
    }
  }

  #create(body: Record<string, unknown>): ControlAnswer {
    const name = String(body["FunctionName"]);
    if (!/^[\w-]{1,64}$/.test(name))
      return refusal(400, "InvalidParameterValueException", `no function can be named "${name}"`);
    if (this.#functions.has(name))
      return refusal(409, "ResourceConflictException", `Function already exist: ${name}`);
    const bare: FunctionSpec = {
      name,
      modulePath: "",
      exportName: "",
      environment: {},
      concurrencyLimit: defaultConcurrency,
      timeoutMs: 3_000,
    };
    const code = (body["Code"] ?? {}) as Record<string, unknown>;
    const { spec, folder } = unpacked(configured(bare, body), code);
    const tags = body["Tags"] as Record<string, string> | undefined;
    const pool = new InstancePool(spec, this.#counters);
    this.#functions.set(name, { spec, pool, folder, ...(tags !== undefined && { tags }) });
    return answer(201, this.describe(name));
  }

  #tag(arn: string, body: Record<string, unknown>): ControlAnswer {
    const name = decodeURIComponent(arn).split(":").at(-1) ?? "";
    const found = this.#functions.get(name);
    if (found === undefined)
      return refusal(404, "ResourceNotFoundException", `Function not found: ${name}`);
    const tags = { ...found.tags, ...(body["Tags"] as Record<string, string>) };
    this.#functions.set(name, { ...found, tags });
    return answer(204, undefined);
  }

  /** As GetFunctionConfiguration says it. */
  describe(name: string): Record<string, unknown> {
    const found = this.#functions.get(name);
    if (found === undefined) return {};
    const { spec } = found;
    return {
      FunctionName: spec.name,
      FunctionArn: `arn:aws:lambda:local:000000000000:function:${spec.name}`,
      Runtime: "nodejs24.x",
      Handler: spec.exportName,
      Timeout: Math.ceil(spec.timeoutMs / 1_000),
      Version: "$LATEST",
      State: "Active",
      LastUpdateStatus: "Successful",
    };
  }

  /** New instances from now on; those of before end. */
  #replace(name: string, next: ControlledFunction): void {
    const before = this.#functions.get(name);
    before?.pool.close();
    if (before?.folder !== undefined && before.folder !== next.folder) discard(before.folder);
    this.#functions.set(name, { ...next, pool: new InstancePool(next.spec, this.#counters) });
  }

  #remove(name: string): void {
    const found = this.#functions.get(name);
    found?.pool.close();
    if (found?.folder !== undefined) discard(found.folder);
    this.#functions.delete(name);
  }
}

function configured(spec: FunctionSpec, body: Record<string, unknown>): FunctionSpec {
  const { Handler, Timeout, Environment } = body as {
    Handler?: string;
    Timeout?: number;
    Environment?: { Variables?: Record<string, string> };
  };
  const [, exportName] = /^index\.(\w+)$/.exec(Handler ?? "index.handler") ?? [];
  if (exportName === undefined) throw new RangeError(`the handler "${Handler}" is not index.NAME`);
  return {
    ...spec,
    exportName,
    ...(Timeout !== undefined && { timeoutMs: Timeout * 1_000 }),
    ...(Environment !== undefined && { environment: Environment.Variables ?? {} }),
  };
}

/** The archive in a folder of its own. Throws for what is no archive or leaves the folder. */
function unpacked(
  spec: FunctionSpec,
  code: Record<string, unknown>,
): { readonly spec: FunctionSpec; readonly folder: string } {
  const archive = code["ZipFile"];
  if (typeof archive !== "string") throw new RangeError("there is no ZipFile");
  let sizeBytes = 0;
  const files = unzipSync(Buffer.from(archive, "base64"), {
    filter: ({ originalSize }) => {
      sizeBytes += originalSize;
      if (sizeBytes > maxUnzippedBytes) throw new RangeError("the archive is too large");
      return true;
    },
  });
  const folder = makeOwnDirectory("function");
  for (const [name, bytes] of Object.entries(files)) {
    const path = resolve(folder, name);
    if (!path.startsWith(folder + sep)) {
      discard(folder);
      throw new RangeError(`"${name}" would leave the archive's folder`);
    }
    if (name.endsWith("/")) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return { spec: { ...spec, modulePath: join(folder, "index.mjs") }, folder };
}

function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function answer(status: number, body: unknown): ControlAnswer {
  return { status, body };
}

function refusal(status: number, errorType: string, message: string): ControlAnswer {
  return { status, errorType, body: { Type: "User", message } };
}
