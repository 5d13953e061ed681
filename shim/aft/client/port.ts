/**
 * @module What sessions and routing need of connections to replicas, so that a simulator can supply them.
 *
 * Real adapter: `connection.ts`.
 */

export type Argument = string | Buffer;

/** Commands to one replica, which takes them in the order in which they were sent. */
export interface CommandConnection {
  /**
   * Sends one command, named in lower case. Rejects with an `Error` named `ReplyError` where the
   * replica answered with an error, and with anything else where an answer is missing. An answer that
   * waits for storage may come after those of later commands.
   */
  send(command: string, args: Argument[]): Promise<unknown>;
}

/** The way to one replica. */
export interface Connections {
  /** The connection for all commands of one session, or for a single command outside any. */
  forSession(): CommandConnection;
  /** What waits for an answer rejects, and so does all that is sent later. */
  close(): void;
}
