/**
 * @module Connections to one replica: one while the processor is the limit, several while waiting is.
 *
 * Answers of a connection come in order, so on a shared one a slow commit holds everybody up: over
 * storage that takes tens of milliseconds, ten sessions on one connection wait for each other. When
 * many sessions keep this process busy it is the other way round: commands that leave together in
 * one write cost a fraction. Commits look slow in both cases; how idle this process is tells them
 * apart. So now and then the pool looks at both: slow commits and an idle process double the
 * connections, a busy process halves them, and anything else leaves them as they are.
 */
import { AftConnection, type AftEndpoint } from "./connection.ts";
import type { Lease, SessionPool } from "./port.ts";
import { type Utilisation, watchUtilisation } from "./utilisation.ts";

/** Mean time of a commit from which on sharing is looked at as the cause. */
const slowCommitUs = 2_000;
/** Weight of the newest commit in the mean. */
const newestWeight = 0.1;
/** Sessions between two looks. */
const lookEvery = 64;
/** Share of time this process is busy below which it can afford more writes, and above which not. */
const idleBelow = 0.5;
const busyAbove = 0.85;

export interface PoolOptions {
  readonly endpoint: AftEndpoint;
  readonly maxConnections: number;
  /** Default: this process' own. */
  readonly utilisation?: Utilisation;
}

interface Member {
  readonly connection: AftConnection;
  /** Sessions that use it now. */
  sessions: number;
}

export class AftPool implements SessionPool {
  readonly #options: PoolOptions;
  readonly #utilisation: Utilisation;
  readonly #members: Member[];
  /** Of the members, so many at the front take new sessions. */
  #inUse = 1;
  #meanCommitUs = 0;
  #taken = 0;

  private constructor(options: PoolOptions, first: AftConnection) {
    this.#options = options;
    this.#utilisation = options.utilisation ?? watchUtilisation();
    this.#members = [{ connection: first, sessions: 0 }];
  }

  /** Rejects with a `StateError` when the replica cannot be reached. */
  static async open(options: PoolOptions): Promise<AftPool> {
    const first = AftConnection.create(options.endpoint);
    await first.ready();
    return new AftPool(options, first);
  }

  /** The connection a new session should use: of those in use, the one with the fewest sessions. */
  take(): Lease {
    this.#taken += 1;
    if (this.#taken % lookEvery === 0) this.#adapt();
    let least: Member | undefined;
    for (let index = 0; index < this.#inUse; index += 1) {
      const member = this.#member(index);
      if (least === undefined || member.sessions < least.sessions) least = member;
    }
    const member = least ?? this.#member(0);
    member.sessions += 1;
    let released = false;
    return {
      connection: member.connection,
      release: () => {
        if (!released) member.sessions -= 1;
        released = true;
      },
    };
  }

  /** A connection for a single command outside any session. */
  forOne(): AftConnection {
    return this.#member(0).connection;
  }

  /** Learns how long a commit took. */
  noteCommit(durationUs: number): void {
    this.#meanCommitUs += newestWeight * (durationUs - this.#meanCommitUs);
  }

  close(): void {
    for (const { connection } of this.#members) connection.close();
  }

  #adapt(): void {
    const { maxConnections } = this.#options;
    const busy = this.#utilisation();
    if (busy > busyAbove) this.#inUse = Math.max(1, Math.floor(this.#inUse / 2));
    else if (busy < idleBelow && this.#meanCommitUs > slowCommitUs)
      this.#inUse = Math.min(maxConnections, this.#inUse * 2);
  }

  #member(index: number): Member {
    const known = this.#members[index];
    if (known !== undefined) return known;
    const member = { connection: AftConnection.create(this.#options.endpoint), sessions: 0 };
    this.#members.push(member);
    return member;
  }
}
