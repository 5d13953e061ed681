/**
 * @module Calls of the Lambda API that change something, as data, and who performs them.
 *
 * A dry run prints them and answers as an empty account would, so it sees the same sequence and needs
 * no credentials.
 */
import * as sdk from "@aws-sdk/client-lambda";
import { ProjectError } from "#kit/errors.ts";

export type ControlOperation =
  | "GetFunction"
  | "CreateFunction"
  | "UpdateFunctionCode"
  | "UpdateFunctionConfiguration"
  | "PublishVersion"
  | "CreateAlias"
  | "UpdateAlias"
  | "PutFunctionConcurrency"
  | "PutProvisionedConcurrencyConfig"
  | "TagResource"
  | "DeleteFunction";

export interface ControlCall {
  readonly operation: ControlOperation;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ControlPlane {
  /** The answer, or undefined if the function does not exist. Rejects with `LambdaApiError`. */
  call(call: ControlCall): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Until the function takes invocations in its newest form. */
  settled(functionName: string): Promise<void>;
}

/** The service refused a call. */
export class LambdaApiError extends ProjectError {
  readonly code = "lambda_api";
  readonly disposition = "abort";
  readonly operation: string;

  constructor(operation: string, options: { readonly cause: unknown }) {
    const { cause } = options;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`Lambda refused ${operation}: ${why}`, options);
    this.operation = operation;
  }
}

/** A function may take this long to become active. */
const settleSeconds = 120;

export function createControlPlane(client: sdk.LambdaClient): ControlPlane {
  return {
    call: async ({ operation, input }) => {
      try {
        return (await client.send(commandOf(operation, input))) as unknown as Readonly<
          Record<string, unknown>
        >;
      } catch (cause) {
        if (cause instanceof sdk.ResourceNotFoundException) return undefined;
        throw new LambdaApiError(operation, { cause });
      }
    },
    settled: async (FunctionName) => {
      const waiter = { client, maxWaitTime: settleSeconds, minDelay: 1, maxDelay: 5 };
      try {
        await sdk.waitUntilFunctionActiveV2(waiter, { FunctionName });
        await sdk.waitUntilFunctionUpdatedV2(waiter, { FunctionName });
      } catch (cause) {
        throw new LambdaApiError("GetFunction until active", { cause });
      }
    },
  };
}

/**
 * Prints every call, one JSON line each; archives by their size, environments by their names. Answers as
 * an account would that is empty at first.
 */
export function createDryRun(print: (line: string) => void): ControlPlane {
  const tags = new Map<string, unknown>();
  return {
    call: ({ operation, input }) => {
      print(JSON.stringify({ operation, input: printable(input) }));
      const name = String(input["FunctionName"]);
      if (operation === "CreateFunction") tags.set(name, input["Tags"]);
      if (operation === "DeleteFunction") tags.delete(name);
      if (operation !== "GetFunction") return Promise.resolve({ Version: "1", FunctionArn: name });
      return Promise.resolve(tags.has(name) ? { Tags: tags.get(name) } : undefined);
    },
    settled: () => Promise.resolve(),
  };
}

/** A function's environment may hold what nobody is to read in a terminal. */
function printable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      if (name === "Variables") return [name, Object.keys(part as object)];
      return [name, Array.isArray(part) ? part : printable(part)];
    }),
  );
}

/** The SDK types each command for itself; calls are data here, and the service checks them. */
function commandOf(operation: ControlOperation, input: unknown): sdk.GetFunctionCommand {
  const commands = {
    GetFunction: sdk.GetFunctionCommand,
    CreateFunction: sdk.CreateFunctionCommand,
    UpdateFunctionCode: sdk.UpdateFunctionCodeCommand,
    UpdateFunctionConfiguration: sdk.UpdateFunctionConfigurationCommand,
    PublishVersion: sdk.PublishVersionCommand,
    CreateAlias: sdk.CreateAliasCommand,
    UpdateAlias: sdk.UpdateAliasCommand,
    PutFunctionConcurrency: sdk.PutFunctionConcurrencyCommand,
    PutProvisionedConcurrencyConfig: sdk.PutProvisionedConcurrencyConfigCommand,
    TagResource: sdk.TagResourceCommand,
    DeleteFunction: sdk.DeleteFunctionCommand,
  } as unknown as Record<ControlOperation, new (input: unknown) => sdk.GetFunctionCommand>;
  return new commands[operation](input);
}
