/**
 * @module A server's key-value calls, each one round trip, counted. Values only are counted as bytes: base64
 * makes four of three, and JSON more of it.
 *
 * Nothing is repeated here but reads whose connection was gone.
 */
import type { Bytes } from "#kit/bytes.ts";
import { JsonCallError, JsonClient } from "#kit/node/json-client.ts";
import type { StateCounters } from "#shim/state/port.ts";
import { EtcdRefusal } from "./errors.ts";
import {
  decodeBytes,
  type KeyValue,
  type RangeRequest,
  type RangeResponse,
  revisionOf,
  type TxnRequest,
  type TxnResponse,
} from "./protocol.ts";

export interface EtcdSettings {
  /** `http://host:port` */
  readonly endpoint: string;
  readonly timeoutMs: number;
  /** Calls beyond so many at once wait. */
  readonly maxConnections: number;
}

/** What was read, and as of when. */
export interface Snapshot {
  readonly revision: number;
  readonly values: readonly (Bytes | undefined)[];
}

/** Keys read in one call. */
const maxOperations = 128;

export class EtcdClient {
  readonly #json: JsonClient;
  readonly #counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };

  constructor({ endpoint, timeoutMs, maxConnections }: EtcdSettings) {
    this.#json = new JsonClient({ origin: endpoint, timeoutMs, maxConnections });
  }

  /**
   * All values at one revision, the newest one if none is given. `names` are in base64. Rejects with
   * `EtcdRefusal` or `JsonCallError`.
   */
  async read(names: readonly string[], revision?: number): Promise<Snapshot> {
    let at = revision;
    const values: (Bytes | undefined)[] = [];
    for (let start = 0; start < names.length; start += maxOperations) {
      const part = names.slice(start, start + maxOperations);
      const found = await this.#readTogether(part, at);
      at ??= found.revision;
      values.push(...found.values);
    }
    return { revision: at ?? 0, values };
  }

  /** Rejects as above; whether it was carried out is known only after a refusal: it was not. */
  async txn(request: TxnRequest): Promise<TxnResponse> {
    for (const operation of request.success)
      if ("request_put" in operation)
        this.#counts.bytesWritten += bytesOf(operation.request_put.value);
    return this.#post<TxnResponse>("/v3/kv/txn", request);
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  /** Idempotent. */
  close(): void {
    this.#json.close();
  }

  async #readTogether(names: readonly string[], revision: number | undefined): Promise<Snapshot> {
    const ranges = names.map((key): RangeRequest => ({
      key,
      ...(revision !== undefined && { revision: String(revision) }),
    }));
    const [only] = ranges;
    if (only !== undefined && ranges.length === 1) {
      const answer = await this.#read<RangeResponse>("/v3/kv/range", only);
      return { revision: revisionOf(answer), values: [this.#valueOf(answer.kvs)] };
    }
    const success = ranges.map((request_range) => ({ request_range }));
    const answer = await this.#read<TxnResponse>("/v3/kv/txn", {
      compare: [],
      success,
      failure: [],
    });
    const { responses = [] } = answer;
    return {
      revision: revisionOf(answer),
      values: names.map((_name, index) => this.#valueOf(responses[index]?.response_range?.kvs)),
    };
  }

  #valueOf(kvs: readonly KeyValue[] | undefined): Bytes | undefined {
    const [found] = kvs ?? [];
    if (found === undefined) return undefined;
    const value = decodeBytes(found.value);
    this.#counts.bytesRead += value.length;
    return value;
  }

  async #read<T>(path: string, content: unknown): Promise<T> {
    try {
      return await this.#post<T>(path, content);
    } catch (error) {
      if (!(error instanceof JsonCallError) || !isConnectionGone(error.cause)) throw error;
      return this.#post<T>(path, content);
    }
  }

  async #post<T>(path: string, content: unknown): Promise<T> {
    this.#counts.calls += 1;
    const { status, body } = await this.#json.post(path, content);
    if (status === 200) return body as T;
    const { message, error } = body as { readonly message?: string; readonly error?: string };
    throw new EtcdRefusal(path, status, message ?? error ?? "without a reason");
  }
}

/** A connection that was kept, and that the server had closed meanwhile. */
function isConnectionGone(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ECONNRESET";
}

function bytesOf(base64: string): number {
  return Buffer.byteLength(base64, "base64");
}
