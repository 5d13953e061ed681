/**
 * @module The fault manager (AFT §4.2, §5.2): off the serving path, stateless, as many as you like.
 *
 * It hears all commits unpruned, finds in storage those that nobody broadcast and tells all, declares
 * silent replicas dead, has them replaced, and is the only one that deletes committed data. What
 * it knows it can learn again, so a restart costs a scan. Of several managers the first (by id) that is
 * heard launches and collects; two that both believe so do no harm: deletions are idempotent
 * (`collection.ts`), a replica too many only costs memory.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import type { CorruptRecordError } from "../protocol/record-codec.ts";
import type { CommitRecord } from "../protocol/types.ts";
import { readCommitSet } from "../replica/recovery.ts";
import { Collection, type CollectionSettings, defaultCollectionSettings } from "./collection.ts";
import { Forwarding } from "./forwarding.ts";
import { Gossip } from "./gossip.ts";
import {
  type ClusterSettings,
  defaultClusterSettings,
  type Launcher,
  type Transport,
} from "./port.ts";

export interface ManagerSettings extends ClusterSettings, CollectionSettings {
  /** Replicas that should serve; fewer are replaced. 0: never launches. */
  readonly replicas: number;
  /** Pause between two searches of the commit set for commits that nobody broadcast. */
  readonly scanMs: number;
  /** How long a launched replica may take to appear before another one is launched. */
  readonly launchMs: number;
}

export const defaultManagerSettings: ManagerSettings = {
  ...defaultClusterSettings,
  ...defaultCollectionSettings,
  replicas: 0,
  scanMs: 30_000,
  launchMs: 15_000,
};

export type ManagerEvent =
  | { readonly kind: "dead"; readonly id: string; readonly silentMs: number }
  | { readonly kind: "launch"; readonly replaces: string }
  | { readonly kind: "found"; readonly commits: number }
  | { readonly kind: "scanned"; readonly commits: number }
  | { readonly kind: "failed"; readonly what: string; readonly cause: unknown };

export interface ManagerStats {
  readonly knownTransactions: number;
  readonly waitingForCollection: number;
  readonly collectedTotal: number;
  readonly orphansDeletedTotal: number;
  readonly foundTotal: number;
  readonly deadTotal: number;
  readonly launchedTotal: number;
  readonly isLeader: boolean;
}

/** Silence is looked at so often; much finer than `deadAfterMs`. */
const watchUs = 200_000;

export class FaultManager {
  readonly #clock: Clock;
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #settings: ManagerSettings;
  readonly #launcher: Launcher | undefined;
  readonly #onEvent: (event: ManagerEvent) => void;
  readonly #gossip: Gossip;
  readonly #collection: Collection;
  readonly #forwarding: Forwarding;
  #watchTimer: Timer | undefined;
  #scanTimer: Timer | undefined;
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  /** Instants at which replicas were launched that have not appeared yet. */
  #launches: number[] = [];
  #seen = new Set<string>();
  #lastDead = "";
  #closed = false;
  #startedUs = 0;
  #foundTotal = 0;
  #deadTotal = 0;
  #launchedTotal = 0;

  constructor(options: {
    id: string;
    clock: Clock;
    transport: Transport;
    engine: StorageEngine;
    names: Names;
    settings?: Partial<ManagerSettings>;
    launcher?: Launcher;
    onEvent?: (event: ManagerEvent) => void;
  }) {
    const settings = { ...defaultManagerSettings, ...options.settings };
    this.#clock = options.clock;
    this.#engine = options.engine;
    this.#names = options.names;
    this.#settings = settings;
    this.#launcher = options.launcher;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#gossip = new Gossip({
      self: { id: options.id, role: "manager", address: "", incarnation: 1, state: "alive" },
      clock: options.clock,
      transport: options.transport,
      settings,
      hooks: {
        onCommits: (records, lost, from) => {
          for (const record of records) this.#collection.learn(record);
          this.#forwarding.heard(from, records);
          if (lost) void this.scan();
        },
        onBelievedGone: (incarnation) => {
          this.#gossip.members.reincarnate(incarnation);
          this.#gossip.members.setState("alive");
        },
        onRound: () => {},
      },
    });
    this.#forwarding = new Forwarding({
      clock: options.clock,
      transport: options.transport,
      settings,
      members: this.#gossip.members,
      isNeeded: (record) => !this.#collection.isSuperseded(record),
    });
    this.#collection = new Collection({
      clock: options.clock,
      transport: options.transport,
      engine: options.engine,
      names: options.names,
      settings,
      voters: () => this.#voters(),
      isLeader: () => this.isLeader,
      onFailed: (what, cause) => {
        this.#onEvent({ kind: "failed", what, cause });
      },
    });
  }

  /** Meets the replicas, reads the commit set, then watches and collects. */
  async start(): Promise<void> {
    this.#startedUs = this.#clock.monotonicUs();
    await this.#gossip.round();
    this.#gossip.start();
    this.#watch();
    await this.scan();
    this.#scheduleScan();
    this.#collection.start();
  }

  close(): void {
    this.#closed = true;
    this.#watchTimer?.cancel();
    this.#scanTimer?.cancel();
    this.#collection.close();
    this.#forwarding.close();
    this.#gossip.close();
  }

  get isLeader(): boolean {
    const { members } = this.#gossip;
    const nowUs = this.#clock.monotonicUs();
    return members
      .others("manager")
      .every(
        ({ id }) =>
          id > members.self.id ||
          members.silentToAllUs(id, nowUs) > 2 * this.#settings.deadAfterMs * 1_000,
      );
  }

  stats(): ManagerStats {
    return {
      ...this.#collection.figures(),
      foundTotal: this.#foundTotal,
      deadTotal: this.#deadTotal,
      launchedTotal: this.#launchedTotal,
      isLeader: this.isLeader,
    };
  }

  /** Takes over a commit as if a replica had just sent it. */
  learnLate(record: CommitRecord): void {
    this.#collection.learn(record);
  }

  /**
   * Reads the commit set and tells everybody of what nobody has broadcast. While one search runs,
   * another call asks for one more after it: a replica may have died behind its back.
   */
  scan(): Promise<void> {
    if (this.#scanning !== undefined) {
      this.#scanAgain = true;
      return this.#scanning;
    }
    this.#scanning = this.#scanOnce().finally(() => {
      this.#scanning = undefined;
      if (!this.#scanAgain || this.#closed) return;
      this.#scanAgain = false;
      void this.scan();
    });
    return this.#scanning;
  }

  async #scanOnce(): Promise<void> {
    try {
      const fresh: CommitRecord[] = [];
      const heardBefore = this.#gossip.members.others("replica").length > 0;
      let commits = 0;
      await readCommitSet({
        engine: this.#engine,
        names: this.#names,
        clock: this.#clock,
        isKnown: (name) => this.#collection.isKnown(name),
        onOutcome: (outcome, name) => {
          if (outcome.kind !== "committed") {
            this.#collection.retain(outcome, name);
            return;
          }
          commits += 1;
          this.#collection.learn(outcome.record);
          fresh.push(outcome.record);
        },
        onCorrupt: (cause: CorruptRecordError) => {
          this.#onEvent({ kind: "failed", what: "reading a commit record", cause });
        },
      });
      this.#onEvent({ kind: "scanned", commits });
      if (!heardBefore) return;
      const needed = await this.#forwarding.tell(fresh);
      if (needed === 0) return;
      this.#foundTotal += needed;
      this.#onEvent({ kind: "found", commits: needed });
    } catch (cause) {
      this.#onEvent({ kind: "failed", what: "reading the commit set", cause });
      this.#scanAgain = false;
      this.#scheduleScan(this.#settings.multicastMs);
    }
  }

  #scheduleScan(afterMs = this.#settings.scanMs): void {
    this.#scanTimer?.cancel();
    if (this.#closed || afterMs === 0) return;
    this.#scanTimer = this.#clock.schedule(afterMs * 1_000, () => {
      void this.scan().then(() => {
        this.#scheduleScan();
      });
    });
  }

  #watch(): void {
    if (this.#closed) return;
    const nextUs = this.#clock.monotonicUs() + watchUs;
    this.#watchTimer = this.#clock.schedule(watchUs, () => {
      const nowUs = this.#clock.monotonicUs();
      // Everybody is silent to a process that was stopped.
      if (nowUs - nextUs > this.#settings.deadAfterMs * 500)
        this.#gossip.members.forgiveSilence(nowUs);
      this.#declareSilentDead();
      this.#forwarding.look();
      this.#replace();
      this.#watch();
    });
  }

  #declareSilentDead(): void {
    const { members } = this.#gossip;
    const nowUs = this.#clock.monotonicUs();
    let died = false;
    for (const { id } of members.others("replica")) {
      const silentUs = members.silentUs(id, nowUs);
      if (silentUs <= this.#settings.deadAfterMs * 1_000) continue;
      members.declareDead(id);
      died = true;
      this.#lastDead = id;
      this.#deadTotal += 1;
      this.#onEvent({ kind: "dead", id, silentMs: Math.round(silentUs / 1_000) });
    }
    if (!died) return;
    void this.#gossip.round();
    // It may have acknowledged commits that it told nobody (AFT §4.2).
    void this.scan();
  }

  #replace(): void {
    const { replicas: wanted, launchMs } = this.#settings;
    if (this.#launcher === undefined || wanted === 0) return;
    const present = this.#gossip.members.others("replica");
    const nowUs = this.#clock.monotonicUs();
    for (const { id } of present) {
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      this.#launches.shift();
    }
    this.#launches = this.#launches.filter((atUs) => nowUs - atUs < launchMs * 1_000);
    // A manager that has just started does not know yet who is there.
    const isNew = nowUs - this.#startedUs < 2 * this.#settings.deadAfterMs * 1_000;
    if ((isNew && this.#deadTotal === 0) || !this.isLeader) return;
    const staying = present.filter(({ state }) => state !== "draining").length;
    for (let have = staying + this.#launches.length; have < wanted; have += 1) {
      this.#launches.push(nowUs);
      this.#launchedTotal += 1;
      const why = { replaces: this.#lastDead };
      this.#onEvent({ kind: "launch", ...why });
      this.#launcher.launch(why).catch((cause: unknown) => {
        this.#onEvent({ kind: "failed", what: "launching a replica", cause });
      });
    }
  }

  /** Who must agree to a collection; nobody while one of them cannot be asked. */
  #voters(): readonly { id: string; address: string; incarnation: number }[] | undefined {
    const { members } = this.#gossip;
    const nowUs = this.#clock.monotonicUs();
    const replicas = members.others("replica");
    const reachable = replicas.every(
      ({ id, state }) =>
        state !== "joining" && members.isHeard(id, nowUs, 2 * this.#settings.multicastMs * 1_000),
    );
    return reachable && replicas.length > 0 ? replicas : undefined;
  }
}
