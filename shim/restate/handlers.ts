/**
 * @module Process entry of the handlers that Restate calls: a virtual object that holds one value. One JSON line on
 * stdout when it serves, gone when whoever started it is.
 *
 * What a user of Restate would write. State that a handler sets is written by Restate, together with the record
 * that the invocation is done.
 */
import { createServer } from "node:http2";
import type { RequestListener } from "node:http";
import { describeError } from "#kit/errors.ts";
import { importOptional } from "#kit/node/optional-package.ts";
import { decodeWrite, encodeFound, retentionMs, type Writer } from "#shim/objects/frame.ts";
import { restatePackages } from "#shim/objects/packages.ts";
import { objectName } from "./routes.ts";

/** Of the SDK, what is used here; it is no dependency. */
interface Sdk {
  object(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, unknown>>;
  }): unknown;
  readonly handlers: {
    readonly object: {
      exclusive(options: HandlerOptions, body: Handler): unknown;
      shared(options: HandlerOptions, body: Handler): unknown;
    };
  };
  readonly serde: { readonly binary: unknown };
  readonly TerminalError: new (message: string, options: { readonly errorCode: number }) => Error;
  createEndpointHandler(options: {
    readonly services: readonly unknown[];
    readonly bidirectional: boolean;
    readonly logger: () => void;
  }): RequestListener;
}

interface HandlerOptions {
  readonly input: unknown;
  readonly output: unknown;
  readonly idempotencyRetention?: number;
  readonly journalRetention: number;
}

type Handler = (context: ObjectContext, content: Uint8Array) => Promise<Uint8Array>;

interface ObjectContext {
  get(name: string, serde: unknown): Promise<Uint8Array | null>;
  set(name: string, value: Uint8Array, serde: unknown): void;
}

const valueName = "value";

try {
  await serve();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  const sdk = await importOptional<Sdk>(restatePackages.sdk);
  const handler = sdk.createEndpointHandler({
    services: [valueObject(sdk)],
    bidirectional: true,
    // It writes to stdout, where only the ready line belongs.
    logger: () => {},
  });
  const server = createServer(handler as never);
  const end = (): void => {
    process.exit(0);
  };
  process.stdin.on("end", end).on("error", end).resume();
  process.on("SIGTERM", end);
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent stops its children in order.
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${address.port}` })}\n`);
  });
}

function valueObject(sdk: Sdk): unknown {
  const { binary } = sdk.serde;
  const bytes = { input: binary, output: binary, journalRetention: 0 };
  const { object } = sdk.handlers;
  return sdk.object({
    name: objectName,
    handlers: {
      read: object.shared(bytes, async (context) =>
        encodeFound((await context.get(valueName, binary)) ?? undefined),
      ),
      write: object.exclusive({ ...bytes, idempotencyRetention: retentionMs }, (context, frame) => {
        const { attempt, call, value } = read(sdk, frame);
        context.set(valueName, value, binary);
        const writer: Writer = { attempt, call };
        return Promise.resolve(new TextEncoder().encode(JSON.stringify(writer)));
      }),
    },
  });
}

/** What cannot be read is refused, and not tried again for ever. */
function read(sdk: Sdk, frame: Uint8Array): Writer & { readonly value: Uint8Array } {
  try {
    const { head, value } = decodeWrite(frame);
    return { attempt: head.attempt, call: head.call, value };
  } catch (error) {
    throw new sdk.TerminalError(describeError(error), { errorCode: 400 });
  }
}
