/**
 * @module POST over connections that are kept: for services whose calls are answered one at a time.
 *
 * Nothing is sent twice. Whether a call that failed was carried out is for the caller to find out.
 */
import { Agent, request } from "node:http";
import type { Bytes } from "../bytes.ts";
import { ProjectError } from "../errors.ts";

export interface PostAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** No answer, or none that is whole. */
export class PostCallError extends ProjectError {
  readonly code = "post_call_failed";
  readonly disposition = "retry";
}

export class PostClient {
  readonly #origin: string;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  #closed = false;

  constructor(options: {
    /** `http://host:port` */
    readonly origin: string;
    /** A call not answered within this time fails. */
    readonly timeoutMs: number;
    /** Calls beyond so many at once wait. */
    readonly maxConnections: number;
  }) {
    this.#origin = options.origin;
    this.#timeoutMs = options.timeoutMs;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.maxConnections,
      scheduling: "lifo",
    });
  }

  /** Whatever the status. Rejects with `PostCallError`. */
  post(
    path: string,
    content: Bytes,
    headers: Readonly<Record<string, string>>,
  ): Promise<PostAnswer> {
    if (this.#closed) return Promise.reject(new PostCallError("the client is closed"));
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => {
        clearTimeout(timer);
        reject(new PostCallError(`${this.#origin}${path}: ${why}`, { cause }));
      };
      const call = request(this.#origin + path, {
        method: "POST",
        agent: this.#agent,
        headers: { ...headers, "content-length": content.length },
      });
      const timer = setTimeout(() => {
        call.destroy(new Error(`no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      call.on("error", (error) => {
        fail("failed", error);
      });
      call.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", (error) => {
          fail("the answer broke off", error);
        });
        response.on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) });
        });
      });
      call.end(content);
    });
  }

  /** Calls under way fail. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }
}

/** Whether a call failed because the server had closed the connection that was kept. */
export function isConnectionGone({ cause }: PostCallError): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ECONNRESET";
}
