/**
 * @module Objects behind HTTP: one POST for a read or a write of one object, counted.
 *
 * A call whose connection was gone is sent once more, since reads change nothing and a write is done once.
 */
import type { Bytes } from "#kit/bytes.ts";
import { describeError, type Disposition } from "#kit/errors.ts";
import {
  isConnectionGone,
  type PostAnswer,
  PostCallError,
  PostClient,
} from "#kit/node/post-client.ts";
import { StateError, type StateCounters } from "#shim/state/port.ts";
import { decodeFound, encodeWrite, type WriteHead, type Writer } from "./frame.ts";
import type { ObjectStore } from "./store.ts";

/** Where a product has its objects. */
export interface ObjectRoutes {
  /** For messages. */
  readonly product: string;
  /** What is larger is refused here, where the product would close the connection while it is sent. */
  readonly maxValueBytes?: number;
  readPath(key: string): string;
  writePath(key: string): string;
  /** Of a write; how the product is told which one it is. */
  writeHeaders?(head: WriteHead): Readonly<Record<string, string>>;
}

export interface ObjectClientSettings {
  /** `http://host:port` */
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly maxConnections: number;
}

const contentType = { "content-type": "application/octet-stream" };
const nothing = new Uint8Array();
/** Of a refusal, kept in an error message. */
const maxReasonCharacters = 300;

export class ObjectClient implements ObjectStore {
  readonly #routes: ObjectRoutes;
  readonly #client: PostClient;
  readonly #counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };

  constructor(routes: ObjectRoutes, settings: ObjectClientSettings) {
    this.#routes = routes;
    this.#client = new PostClient({ origin: settings.endpoint, ...settings });
  }

  async read(key: string): Promise<Bytes | undefined> {
    const found = decodeFound(await this.#post(this.#routes.readPath(key), nothing, contentType));
    this.#counts.bytesRead += found?.length ?? 0;
    return found;
  }

  async write(key: string, head: WriteHead, value: Bytes): Promise<Writer> {
    const { maxValueBytes = Infinity } = this.#routes;
    if (value.length > maxValueBytes) {
      const what = `a value may have ${maxValueBytes} bytes, not ${value.length}`;
      throw this.#failure("limit_exceeded", "abort", what);
    }
    this.#counts.bytesWritten += value.length;
    const headers = { ...contentType, ...this.#routes.writeHeaders?.(head) };
    const answer = await this.#post(this.#routes.writePath(key), encodeWrite(head, value), headers);
    return JSON.parse(answer.toString()) as Writer;
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  close(): void {
    this.#client.close();
  }

  async #post(
    path: string,
    content: Bytes,
    headers: Readonly<Record<string, string>>,
  ): Promise<Buffer> {
    const send = (): Promise<PostAnswer> => {
      this.#counts.calls += 1;
      return this.#client.post(path, content, headers);
    };
    let answer: PostAnswer;
    try {
      answer = await send().catch((error: unknown) => {
        if (error instanceof PostCallError && isConnectionGone(error)) return send();
        throw error;
      });
    } catch (error) {
      throw this.#failure("storage_unavailable", "retry", describeError(error), error);
    }
    if (answer.status === 200) return answer.body;
    const reason = answer.body.toString().slice(0, maxReasonCharacters);
    throw this.#failure(...codeOf(answer.status), `status ${answer.status}: ${reason}`);
  }

  #failure(code: string, disposition: Disposition, what: string, cause?: unknown): StateError {
    return new StateError({
      code,
      disposition,
      message: `${this.#routes.product}: ${what}`,
      cause,
    });
  }
}

/** What a status means to whoever asked. */
function codeOf(status: number): [code: string, disposition: Disposition] {
  if (status === 413) return ["limit_exceeded", "abort"];
  if (status === 408 || status === 429 || status >= 500) return ["storage_unavailable", "retry"];
  return ["refused", "bug"];
}
