/** @module JSON by POST over connections that are kept (`post-client.ts`). */
import { ProjectError } from "../errors.ts";
import { PostCallError, PostClient } from "./post-client.ts";

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** No answer, or none that is JSON. */
export class JsonCallError extends ProjectError {
  readonly code = "json_call_failed";
  readonly disposition = "retry";
}

const headers = { "content-type": "application/json" };

export class JsonClient {
  readonly #client: PostClient;
  readonly #origin: string;

  constructor(options: ConstructorParameters<typeof PostClient>[0]) {
    this.#origin = options.origin;
    this.#client = new PostClient(options);
  }

  /** Whatever the status. Rejects with `JsonCallError`. */
  async post(path: string, content: unknown): Promise<JsonAnswer> {
    try {
      const text = Buffer.from(JSON.stringify(content));
      const { status, body } = await this.#client.post(path, text, headers);
      return { status, body: this.#parse(path, body, status) };
    } catch (error) {
      if (error instanceof PostCallError)
        throw new JsonCallError(error.message, { cause: error.cause });
      throw error;
    }
  }

  /** Calls under way fail. Idempotent. */
  close(): void {
    this.#client.close();
  }

  #parse(path: string, body: Buffer, status: number): unknown {
    try {
      return JSON.parse(body.toString());
    } catch (cause) {
      const what = `${this.#origin}${path}: status ${status} without JSON`;
      throw new JsonCallError(what, { cause });
    }
  }
}
