/**
 * @module A replica as a member of a cluster: joins, tells the others what it commits, merges what
 * they commit, answers votes of the global collection, and leaves in order.
 *
 * Invariants
 *   J1  A replica is a member before it reads the commit set, and admits transactions only after:
 *       whatever is committed from then on reaches it by a stream, whatever was before it reads.
 *   J2  It never deletes anything from storage; all it puts there is decided by conditional put. So a
 *       replica that wakes up after it was declared dead can only have missed things. It comes back
 *       as a new incarnation, reads the commit set again and then admits transactions.
 *   J3  While it joins it answers no vote: nothing is collected that it may be about to read.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { CommitStream } from "../protocol/commit-stream.ts";
import { isGone, type Member, type MemberReport } from "../protocol/members.ts";
import type { StorageKey } from "#shim/storage/port.ts";
import type { CommitRecord } from "../protocol/types.ts";
import type { PeerView } from "../replica/peer-view.ts";
import { trustMs } from "./forwarding.ts";
import { Gossip } from "./gossip.ts";
import {
  type ClusterSettings,
  defaultClusterSettings,
  type PeerAnswer,
  type PeerEndpoint,
  type PeerMessage,
  type Transport,
} from "./port.ts";

/** Pause between two attempts to read the commit set, and least pause between two extra ones. */
const rescanPauseMs = 500;
const extraRescanPauseMs = 5_000;
/** A manager that nobody has heard for so many times `deadAfterMs` holds nothing up any more. */
const managerForgottenAfter = 5;

export interface MemberEvent {
  readonly kind: "joined" | "rejoining" | "rescan_failed" | "left";
  readonly message: string;
  readonly cause?: unknown;
}

export class ReplicaMember implements PeerEndpoint {
  readonly #peers: PeerView;
  readonly #clock: Clock;
  readonly #settings: ClusterSettings;
  readonly #stream: CommitStream;
  readonly #gossip: Gossip;
  readonly #onEvent: (event: MemberEvent) => void;
  /** Readings of the commit set asked for, and how many of these had been when the last that succeeded began. */
  #readingsWanted = 0;
  #readingsDone = 0;
  #reading: Promise<void> | undefined;
  /** The commit set will be read after all that is heard now. */
  #readingSoon = false;
  #rescanTimer: Timer | undefined;
  #leaving = false;
  #closed = false;
  mergedTotal = 0;

  constructor(options: {
    /** Unique to this process, also over restarts. */
    id: string;
    address: string;
    peers: PeerView;
    clock: Clock;
    transport: Transport;
    settings?: Partial<ClusterSettings>;
    onEvent?: (event: MemberEvent) => void;
  }) {
    const settings = { ...defaultClusterSettings, ...options.settings };
    this.#peers = options.peers;
    this.#clock = options.clock;
    this.#settings = settings;
    const { id, address, peers } = options;
    this.#stream = new CommitStream(settings.maxKept, (record) => peers.isSuperseded(record));
    this.#onEvent = options.onEvent ?? (() => {});
    this.#gossip = new Gossip({
      self: { id, role: "replica", address, incarnation: 1, state: "joining" },
      clock: options.clock,
      transport: options.transport,
      settings,
      stream: this.#stream,
      hooks: {
        onCommits: (records, lost) => {
          this.mergedTotal += peers.merge(records);
          if (lost) this.#wantRescan();
        },
        onBelievedGone: (incarnation) => {
          this.#comeBack(incarnation);
        },
        onGone: (gone) => {
          // Managers tell what it last committed, but not what it did so long ago (W3).
          const { members } = this.#gossip;
          const silentUs = members.silentUs(gone.id, this.#clock.monotonicUs());
          if (gone.role === "replica" && silentUs > trustMs(settings) * 1_000) this.#wantRescan();
        },
        onRound: () => {
          this.#forgetManagers();
        },
      },
    });
    peers.stopAdmitting("joining");
    peers.onCommit = (record) => {
      this.#stream.append(record);
    };
    peers.onMissing = () => {
      this.#wantRescan();
    };
  }

  get self(): Member {
    return this.#gossip.members.self;
  }

  /** Commits kept because some peer has not heard them. */
  get keptCommits(): number {
    return this.#stream.kept;
  }

  members(): readonly MemberReport[] {
    return this.#gossip.reports();
  }

  /** Becomes a member, reads the commit set, admits transactions (J1). Never rejects. */
  async join(): Promise<void> {
    this.#gossip.start();
    await this.#readAndAdmit();
    this.#onEvent({ kind: "joined", message: `${this.self.id} serves` });
  }

  /** Refuses new transactions, waits for the open ones, tells everybody all it committed. */
  async leave(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#peers.stopAdmitting("draining");
    this.#gossip.members.setState("draining");
    await this.#gossip.round();
    await Promise.race([
      this.#peers.whenEmpty(),
      delay(this.#clock, this.#settings.drainMs * 1_000),
    ]);
    // Twice: an exchange of the periodic round may be under way with some of them.
    await this.#gossip.round();
    this.#gossip.members.setState("left");
    await this.#gossip.round();
    this.#onEvent({ kind: "left", message: `${this.self.id} has left` });
    this.close();
  }

  /** Stops without a word, as a crash would. */
  close(): void {
    this.#closed = true;
    this.#rescanTimer?.cancel();
    this.#gossip.close();
  }

  /** One round now; for tests and before something is measured. */
  round(): Promise<void> {
    return this.#gossip.round();
  }

  handle(message: PeerMessage): PeerAnswer {
    switch (message.kind) {
      case "sync":
        return this.#gossip.answer(message);
      case "tell":
        this.mergedTotal += this.#peers.merge(message.records);
        return { kind: "told" };
      case "collectable":
        return {
          kind: "collectable",
          from: this.#gossip.report,
          uuids: this.#collectable(message.records),
        };
    }
  }

  #collectable(records: readonly CommitRecord[]): string[] {
    if (this.self.state === "joining") return [];
    return records
      .filter((record) => this.#peers.isCollectable(record))
      .map((record) => record.id.uuid);
  }

  #comeBack(incarnation: number): void {
    if (incarnation < this.self.incarnation || this.#leaving) return;
    const wasJoining = this.self.state === "joining";
    this.#gossip.members.reincarnate(incarnation);
    this.#peers.stopAdmitting("joining");
    const message = `others went on without ${this.self.id}: it reads the commit set again`;
    this.#onEvent({ kind: "rejoining", message });
    // A reading under way began before the others were told of this incarnation: once more.
    if (wasJoining) this.#readingsWanted += 1;
    else void this.#readAndAdmit();
  }

  async #readAndAdmit(): Promise<void> {
    this.#readingSoon = true;
    await this.#gossip.round();
    await this.#awaitManagers();
    this.#readingSoon = false;
    this.#readingsWanted += 1;
    // It may have been wanted once more in between.
    while (this.#isReadingDue) await this.#read();
    if (this.#closed || this.#leaving) return;
    this.#gossip.members.setState("alive");
    this.#peers.admit();
    await this.#gossip.round();
  }

  /** Until every manager that is known has spoken to this incarnation, or surely would have. */
  async #awaitManagers(): Promise<void> {
    const { multicastMs, deadAfterMs } = this.#settings;
    const startUs = this.#clock.monotonicUs();
    const waiting = (): boolean =>
      this.#gossip.members.others("manager").some(({ id }) => {
        const nowUs = this.#clock.monotonicUs();
        if (this.#gossip.members.silentToAllUs(id, nowUs) > deadAfterMs * 1_000) return false;
        return this.#gossip.members.silentUs(id, nowUs) >= nowUs - startUs;
      });
    const pauseMs = Math.max(1, multicastMs / 10);
    for (let waitedMs = 0; waitedMs < 2 * multicastMs && waiting(); waitedMs += pauseMs)
      await delay(this.#clock, pauseMs * 1_000);
  }

  get #isReadingDue(): boolean {
    return this.#readingsDone < this.#readingsWanted && !this.#closed;
  }

  /** Reads the commit set until none is wanted that did not begin later than it was wanted. */
  #read(): Promise<void> {
    // One for all: if two read at the same time, one would take for read what only the other has begun to.
    this.#reading ??= this.#readWhileDue().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readWhileDue(): Promise<void> {
    // Once more means: what has come since. Records stay what they were.
    const read = new Set<StorageKey>();
    while (this.#isReadingDue) {
      const wanted = this.#readingsWanted;
      try {
        await this.#peers.rescan({ read });
        this.#readingsDone = wanted;
      } catch (cause) {
        this.#onEvent({ kind: "rescan_failed", message: "it will be tried again", cause });
        await delay(this.#clock, rescanPauseMs * 1_000);
      }
    }
  }

  #wantRescan(): void {
    if (this.#closed || this.#readingSoon) return;
    // Also in the pause after one: what is missed then was not there to be read.
    this.#readingsWanted += 1;
    if (this.#reading !== undefined || this.#rescanTimer !== undefined) return;
    this.#rescanTimer = this.#clock.schedule(extraRescanPauseMs * 100, () => {
      void this.#read().then(async () => {
        await delay(this.#clock, extraRescanPauseMs * 1_000);
        this.#rescanTimer = undefined;
        if (this.#isReadingDue) this.#wantRescan();
      });
    });
  }

  #forgetManagers(): void {
    const { members } = this.#gossip;
    const limitUs = managerForgottenAfter * this.#settings.deadAfterMs * 1_000;
    for (const manager of members.others("manager")) {
      const silentUs = members.silentToAllUs(manager.id, this.#clock.monotonicUs());
      if (silentUs > limitUs && !isGone(manager)) members.declareDead(manager.id);
    }
  }
}
