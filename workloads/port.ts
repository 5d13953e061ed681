/**
 * @module The workload seam: what load. Pure and seeded; knows nothing of platforms or systems.
 *
 * A workload turns (seed, client, index) into a request: a chain of functions with their
 * operations fixed in advance, so that a retried request repeats the same operations.
 */

export type PlannedOperation =
  | { readonly kind: "read"; readonly key: string }
  | { readonly kind: "readMany"; readonly keys: readonly string[] }
  | { readonly kind: "write"; readonly key: string }
  /** Independent writes, sent together where the system can. */
  | { readonly kind: "writeMany"; readonly keys: readonly string[] };

export interface PlannedRequest {
  /** Unique in the run and equal over all attempts, for instance `c3-17`. */
  readonly requestId: string;
  /** Operations of function 1, 2, …; the last one commits. */
  readonly functions: readonly (readonly PlannedOperation[])[];
  /** All keys the request writes, sorted, without repeats. */
  readonly writeSet: readonly string[];
  /** Seed for the bytes of this request's values. */
  readonly payloadSeed: number;
}

export interface Workload {
  /** Resolved parameters, for the manifest. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly valueBytes: number;
  /** Every key a request may touch; the store is filled with them before measuring. */
  keys(): Iterable<string>;
  /** The `index`-th request of client `client`; the same arguments give the same request. */
  request(client: number, index: number): PlannedRequest;
}

/** Who wrote a value; carried inside the value so that anomalies can be proven from outside. */
export interface ValueStamp {
  readonly requestId: string;
  readonly transactionId: string;
  /** All keys the transaction writes: what must be visible together with this value. */
  readonly writeSet: readonly string[];
  /** Zero-based number of the write within its transaction. */
  readonly sequence: number;
}
