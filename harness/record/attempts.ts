/** @module What the load driver records about each attempt of a request. */

/** Where the time of a committed attempt went, its functions added up; what nobody tells is null. */
export interface AttemptTimes {
  /** The caller's own work: encoding, signing, reading answers, and between two functions. */
  readonly clientUs: number | null;
  /** Network, front end, start of instances: from the network to the handler and back. */
  readonly platformUs: number | null;
  /** In the handler, less state operations. */
  readonly functionUs: number;
  /** State operations and commit: the shim, if there is one, and storage. */
  readonly stateUs: number;
  /** What the service says of itself. */
  readonly initMs: number | null;
  readonly billedMs: number | null;
}

export type AttemptOutcome = "committed" | "aborted" | "failed" | "unknown";

export interface AttemptRecord {
  readonly requestId: string;
  readonly client: number;
  /** Zero-based; a retry starts the request again from its first function. */
  readonly attempt: number;
  /** Position of the request among its client's, over all blocks. */
  readonly index: number;
  readonly block: number;
  /** When it should have started by the schedule; in a closed loop, when its first attempt did. */
  readonly dueUs: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly outcome: AttemptOutcome;
  /** Why it did not commit: an error code, or how the platform failed. */
  readonly reason?: string;
  /**
   * Had not ended when it was given up: `endUs` is its time limit, and the true end is later. A
   * request that was never sent is counted the same way (MEASURING rule 4).
   */
  readonly censored?: boolean;
  /** No further attempt follows. */
  readonly final: boolean;
  readonly coldStarts: number;
  /** Where a plan asked for it. */
  readonly times?: AttemptTimes;
}
