/**
 * @module What sessions and routing need of connections to replicas, so that a simulator can supply them.
 *
 * Real adapters: `connection.ts` and `pool.ts`.
 */

export type Argument = string | Buffer;

/** Commands to one replica, answered in the order in which they were sent. */
export interface CommandConnection {
  /**
   * Sends one command, named in lower case. Rejects with an `Error` named `ReplyError` where the
   * replica answered with an error, and with anything else where an answer is missing.
   */
  send(command: string, args: Argument[]): Promise<unknown>;
}

/** A connection lent to a session. */
export interface Lease {
  readonly connection: CommandConnection;
  /** Gives it back; idempotent. */
  release(): void;
}

/** Connections to one replica. */
export interface SessionPool {
  /** The connection a new session should use. */
  take(): Lease;
  /** A connection for a single command outside any session. */
  forOne(): CommandConnection;
  /** Learns how long a commit took. */
  noteCommit(durationUs: number): void;
  /** What waits for an answer rejects, and so does all that is sent later. */
  close(): void;
}
