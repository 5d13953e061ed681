/**
 * @module What is recorded about each transaction attempt: the only thing counters and checkers see.
 *
 * Produced by the driver from what functions return, never by the system under test.
 */

export interface RecordedRead {
  readonly kind: "read";
  readonly key: string;
  /** Transaction that wrote the value read; `null` when the key had no value. */
  readonly from: string | null;
  /** Sequence number of that write within its transaction; -1 with `null`. */
  readonly fromSequence: number;
  readonly startUs: number;
  readonly endUs: number;
}

export interface RecordedWrite {
  readonly kind: "write";
  readonly key: string;
  readonly sequence: number;
  /**
   * Invoked and acknowledged, monotonic. For a system that buffers writes the acknowledgement says
   * nothing about visibility; its version order is `commitOrder`.
   *
   * Of a function that was lost before it answered, every planned write is recorded with the
   * start of that function as `startUs` (it cannot have been earlier) and `endUs` null: it may or
   * may not have happened.
   */
  readonly startUs: number;
  readonly endUs: number | null;
  /** When it was surely visible, where that was later than its acknowledgement. */
  readonly visibleUs?: number;
  /** Passed over: an earlier attempt of the request had done it, and its value stayed. */
  readonly replayed?: true;
}

export type RecordedOperation = RecordedRead | RecordedWrite;

/** One attempt of a request. Instants are monotonic microseconds, one origin for the machine. */
export interface RecordedTransaction {
  readonly requestId: string;
  /** Zero-based; a retry of the request from the start is the next attempt. */
  readonly attempt: number;
  readonly transactionId: string;
  /** The client: transactions of one session follow one another. */
  readonly session: number;
  readonly outcome: "committed" | "aborted" | "unknown";
  readonly reason?: string;
  /** The system's own version order, comparable as text; absent where it has none. */
  readonly commitOrder?: string;
  /** The keys it set out to write, also when it did not get that far. */
  readonly writeSet: readonly string[];
  /** In program order, as far as it got. */
  readonly operations: readonly RecordedOperation[];
  /** How many operations there were at the end of each function, where a plan asked for it. */
  readonly functionEnds?: readonly number[];
}
