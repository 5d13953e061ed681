/**
 * @module JSON by POST over connections that are kept: for services whose calls are answered one at a time.
 *
 * Nothing is sent twice. Whether a call that failed was carried out is for the caller to find out.
 */
import { Agent, request } from "node:http";
import { ProjectError } from "../errors.ts";

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** No answer, or none that is JSON. */
export class JsonCallError extends ProjectError {
  readonly code = "json_call_failed";
  readonly disposition = "retry";
}

export class JsonClient {
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

  /** Whatever the status. Rejects with `JsonCallError`. */
  post(path: string, content: unknown): Promise<JsonAnswer> {
    if (this.#closed) return Promise.reject(new JsonCallError("the client is closed"));
    return new Promise((resolve, reject) => {
      const text = Buffer.from(JSON.stringify(content));
      const fail = (why: string, cause?: unknown): void => {
        clearTimeout(timer);
        reject(new JsonCallError(`${this.#origin}${path}: ${why}`, { cause }));
      };
      const call = request(this.#origin + path, {
        method: "POST",
        agent: this.#agent,
        headers: { "content-type": "application/json", "content-length": text.length },
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
          try {
            const body: unknown = JSON.parse(Buffer.concat(parts).toString());
            resolve({ status: response.statusCode ?? 0, body });
          } catch (error) {
            fail(`status ${response.statusCode} without JSON`, error);
          }
        });
      });
      call.end(text);
    });
  }

  /** Calls under way fail. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }
}
