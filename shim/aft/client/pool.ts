/**
 * @module Connections to one replica: one while commits are fast, several when they are slow.
 *
 * Answers of a connection come in order, so on a shared one a slow commit holds everybody up: over
 * storage that takes tens of milliseconds, ten sessions on one connection wait for each other. Over
 * a fast store it is the other way round: commands that leave together in one write cost a fraction.
 * So the pool looks at how long commits take. When they are slow a session takes a connection with
 * nothing under way, or a new one up to a limit, or the one with the least under way.
 */
import { AftConnection, type AftEndpoint } from "./connection.ts";

/** Mean time of a commit from which on sessions keep apart. */
const slowCommitUs = 5_000;
/** Weight of the newest commit in the mean. */
const newestWeight = 0.1;

export class AftPool {
  #meanCommitUs = 0;
  readonly #endpoint: AftEndpoint;
  readonly #maxConnections: number;
  readonly #connections: AftConnection[];

  private constructor(endpoint: AftEndpoint, first: AftConnection, maxConnections: number) {
    this.#endpoint = endpoint;
    this.#maxConnections = maxConnections;
    this.#connections = [first];
  }

  /** Rejects with a `StateError` when the replica cannot be reached. */
  static async open(endpoint: AftEndpoint, maxConnections: number): Promise<AftPool> {
    const first = AftConnection.create(endpoint);
    await first.ready();
    return new AftPool(endpoint, first, maxConnections);
  }

  /** The connection a new session should use. */
  take(): AftConnection {
    const [first] = this.#connections;
    if (first !== undefined && this.#meanCommitUs < slowCommitUs) return first;
    let least: AftConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.underWay === 0) return connection;
      if (least === undefined || connection.underWay < least.underWay) least = connection;
    }
    if (least !== undefined && this.#connections.length >= this.#maxConnections) return least;
    const opened = AftConnection.create(this.#endpoint);
    this.#connections.push(opened);
    return opened;
  }

  /** Learns how long a commit took. */
  noteCommit(durationUs: number): void {
    this.#meanCommitUs += newestWeight * (durationUs - this.#meanCommitUs);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
