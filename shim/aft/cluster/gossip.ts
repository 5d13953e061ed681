/**
 * @module The rounds in which a member of the cluster speaks to all others: heartbeat, membership
 * and commit streams in one exchange. Replicas and managers share it; what they do with the news is
 * theirs (`GossipHooks`).
 *
 * One exchange with a peer at a time; what it does not bring, the next round brings. An exchange ends with
 * what there was when it began: under load there is always something newer, and to go on for that would make
 * a message of every few commits (AFT §4.1: once a second).
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { CommitBatch, CommitStream } from "../protocol/commit-stream.ts";
import { HeardStreams } from "../protocol/commit-stream.ts";
import { isGone, type Member, type MemberReport, Members } from "../protocol/members.ts";
import type { CommitRecord } from "../protocol/types.ts";
import type { ClusterSettings, PeerAnswer, PeerMessage, Transport } from "./port.ts";

export interface GossipHooks {
  /** Durable commits of another replica; `lost`: it cannot say all of what came before. */
  onCommits(records: readonly CommitRecord[], lost: boolean, from: string): void;
  /** Others have declared a member dead, or it has left. */
  onGone?(member: Member): void;
  /** Others believe that this member is gone, or may do so after its own long pause. */
  onBelievedGone(incarnation: number): void;
  /** Runs before each round. */
  onRound(): void;
}

/** Exchanges with one peer in one round. */
const maxTurns = 100;

type SyncMessage = Extract<PeerMessage, { kind: "sync" }>;
type SyncAnswer = Extract<PeerAnswer, { kind: "synced" }>;

export class Gossip {
  readonly members: Members;
  readonly heard = new HeardStreams();
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #settings: ClusterSettings;
  /** Absent for managers, which commit nothing. */
  readonly #stream: CommitStream | undefined;
  readonly #hooks: GossipHooks;
  readonly #busy = new Set<string>();
  #timer: Timer | undefined;
  #lastRoundUs: number;
  #closed = false;

  constructor(options: {
    self: Member;
    clock: Clock;
    transport: Transport;
    settings: ClusterSettings;
    stream?: CommitStream;
    hooks: GossipHooks;
  }) {
    this.members = new Members(options.self);
    this.#clock = options.clock;
    this.#transport = options.transport;
    this.#settings = options.settings;
    this.#stream = options.stream;
    this.#hooks = options.hooks;
    this.#lastRoundUs = options.clock.monotonicUs();
  }

  start(): void {
    this.#lastRoundUs = this.#clock.monotonicUs();
    this.#scheduleRound();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  get report(): MemberReport {
    return { ...this.members.self, silentMs: 0 };
  }

  reports(): readonly MemberReport[] {
    return this.members.reports(this.#clock.monotonicUs());
  }

  /** One exchange with everybody; resolves when all answered or failed to. */
  async round(): Promise<void> {
    const addresses = new Map<string, string | undefined>();
    const { address: own } = this.members.self;
    for (const seed of this.#settings.seeds) addresses.set(seed, undefined);
    for (const { address, id } of this.members.others("replica")) addresses.set(address, id);
    addresses.delete(own);
    await Promise.all([...addresses].map(([address, id]) => this.#exchange(address, id)));
    this.#stream?.retain(new Set(this.members.others().map(({ id }) => id)));
  }

  /** The other half of an exchange. */
  answer({ from, members, heard, to, batch }: SyncMessage): SyncAnswer {
    // What was heard of whoever had this address before says nothing about our own stream.
    this.#takeOver(from, members, to === this.members.self.id ? heard : 0, batch);
    const peer = this.members.find(from.id) ?? from;
    const back = this.#batchFor(peer);
    return {
      kind: "synced",
      from: this.report,
      members: this.reports(),
      heard: this.heard.heard(from.id),
      ...(back !== undefined && { batch: back }),
    };
  }

  #scheduleRound(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.schedule(this.#settings.multicastMs * 1_000, () => {
      const nowUs = this.#clock.monotonicUs();
      const awayUs = nowUs - this.#lastRoundUs - this.#settings.multicastMs * 1_000;
      this.#lastRoundUs = nowUs;
      // Stopped for long (SIGSTOP, a sleeping machine): others have gone on without this process.
      if (awayUs > this.#settings.deadAfterMs * 500) {
        this.members.forgiveSilence(nowUs);
        this.#hooks.onBelievedGone(this.members.self.incarnation);
      }
      this.#hooks.onRound();
      void this.round();
      this.#scheduleRound();
    });
  }

  async #exchange(address: string, id: string | undefined): Promise<void> {
    if (this.#busy.has(address)) return;
    this.#busy.add(address);
    try {
      let peer = id;
      const newest = this.#stream?.last ?? 0;
      for (let turn = 0; turn < maxTurns && !this.#closed; turn += 1) {
        const known = peer === undefined ? undefined : this.members.find(peer);
        const batch = known === undefined ? undefined : this.#batchFor(known);
        const answer = await this.#transport.ask(address, {
          kind: "sync",
          from: this.report,
          members: this.reports(),
          heard: peer === undefined ? 0 : this.heard.heard(peer),
          ...(peer !== undefined && { to: peer }),
          ...(batch !== undefined && { batch }),
        });
        if (answer.kind !== "synced" || this.#closed) return;
        this.#takeOver(answer.from, answer.members, answer.heard, answer.batch);
        const isNew = peer === undefined;
        peer = answer.from.id;
        // Whoever was not known until now was told nothing yet.
        const more = isNew
          ? this.#stream?.hasNews(peer) === true
          : (batch?.upTo ?? newest) < newest;
        if (!more && (answer.batch?.records.length ?? 0) < this.#settings.maxBatch) return;
      }
    } catch {
      // Not reached: silence is what counts, and the next round tries again.
    } finally {
      this.#busy.delete(address);
    }
  }

  #takeOver(
    from: MemberReport,
    members: readonly MemberReport[],
    heard: number,
    batch: CommitBatch | undefined,
  ): void {
    const nowUs = this.#clock.monotonicUs();
    if (this.members.learn({ ...from, silentMs: 0 }, nowUs, true) === "news" && isGone(from))
      this.#hooks.onGone?.(from);
    for (const report of members) {
      const learnt = this.members.learn(report, nowUs, false);
      if (learnt === "refute") this.#hooks.onBelievedGone(report.incarnation);
      else if (learnt === "news" && isGone(report)) this.#hooks.onGone?.(report);
      // Who joins waits until the managers have spoken to it.
      else if (learnt === "news" && report.state === "joining" && this.#isManager)
        void this.#exchange(report.address, report.id);
    }
    this.#stream?.acknowledge(from.id, heard);
    if (batch === undefined) return;
    const { lost } = this.heard.note(from.id, batch);
    this.#hooks.onCommits(batch.records, lost, from.id);
  }

  get #isManager(): boolean {
    return this.members.self.role === "manager";
  }

  /** Managers hear everything; replicas only what is not superseded (AFT §4.1, §4.2). */
  #batchFor(peer: Member): CommitBatch | undefined {
    const which = peer.role === "manager" ? "all" : "newest";
    return this.#stream?.batchFor(peer.id, this.#settings.maxBatch, which);
  }
}
