/**
 * @module Who is in the cluster, as far as one process knows. Pure: time is an argument.
 *
 * Everybody owns one entry and raises its own incarnation; entries spread by gossip and the newer
 * one wins, so tables that exchange entries agree in the end, in whatever order messages arrive.
 *
 * Invariants
 *   M1  An entry is replaced only by a higher incarnation, or within one by a later state.
 *   M2  "dead" is for one incarnation: a process that learns that it was declared dead comes back
 *       under a higher one, and reads the commit set before it serves (it was not waited for).
 *
 * No decision about data rests on this table being right: a process wrongly believed dead loses
 * versions its readers still wanted (they are told to retry), never a commit (ARCHITECTURE, D32).
 */
export type MemberRole = "replica" | "manager";

export type MemberState = "joining" | "alive" | "draining" | "left" | "dead";

export interface Member {
  /** Unique to the process. */
  readonly id: string;
  readonly role: MemberRole;
  /** Where it answers peers and clients; empty for managers, which only ask. */
  readonly address: string;
  readonly incarnation: number;
  readonly state: MemberState;
}

/** An entry as it travels: with how long ago somebody last heard the member itself. */
export interface MemberReport extends Member {
  readonly silentMs: number;
}

const laterStates: Readonly<Record<MemberState, number>> = {
  joining: 0,
  alive: 1,
  draining: 2,
  left: 3,
  dead: 4,
};

interface Entry {
  member: Member;
  /** When this process heard it itself, or first heard of it. */
  directUs: number;
  /** When anybody heard it, as far as this process was told. */
  anyUs: number;
  /** Its silence was this process's own, and it has not been heard since. */
  forgiven: boolean;
}

/** Entries of members that are gone are forgotten after so long. */
const forgetGoneUs = 300_000_000;

/**
 * Within so long the same reports are given again: a member of many is asked hundreds of times a second. They
 * count that much as silence from the first: one that made a member look heard later than it was would, passed
 * on and back, keep the dead alive.
 */
const sameReportsUs = 50_000;

export class Members {
  readonly #entries = new Map<string, Entry>();
  #self: Member;
  /** The last ones given, while nothing but silence has changed. */
  #given: { readonly reports: readonly MemberReport[]; readonly atUs: number } | undefined;

  constructor(self: Member) {
    this.#self = self;
  }

  get self(): Member {
    return this.#self;
  }

  setState(state: MemberState): void {
    this.#given = undefined;
    this.#self = { ...this.#self, state };
  }

  /** Comes back after it was, or may have been, declared dead. */
  reincarnate(above: number): void {
    this.#given = undefined;
    const incarnation = Math.max(above, this.#self.incarnation) + 1;
    this.#self = { ...this.#self, incarnation, state: "joining" };
  }

  /**
   * Takes over an entry. `direct`: the member itself said so, just now.
   *
   * @returns "refute" when it says that this process is gone: the caller has to come back.
   */
  learn(report: MemberReport, nowUs: number, direct: boolean): "refute" | "news" | "known" {
    if (report.id === this.#self.id) {
      const gone = report.state === "dead" || report.state === "left";
      const mine = this.#self;
      return gone && report.incarnation >= mine.incarnation && mine.state !== "left"
        ? "refute"
        : "known";
    }
    const heardUs = nowUs - report.silentMs * 1_000;
    const entry = this.#entries.get(report.id);
    if (entry === undefined) {
      const directUs = nowUs;
      this.#entries.set(report.id, {
        member: plain(report),
        directUs,
        anyUs: heardUs,
        forgiven: !direct,
      });
      this.#given = undefined;
      return "news";
    }
    entry.anyUs = Math.max(entry.anyUs, heardUs);
    if (direct) {
      entry.directUs = nowUs;
      entry.forgiven = false;
    }
    if (!replaces(report, entry.member)) return "known";
    // A new incarnation has not been silent yet.
    if (report.incarnation > entry.member.incarnation) entry.directUs = nowUs;
    entry.member = plain(report);
    this.#given = undefined;
    return "news";
  }

  find(id: string): Member | undefined {
    return id === this.#self.id ? this.#self : this.#entries.get(id)?.member;
  }

  /** Everybody else that is not gone. */
  others(role?: MemberRole): Member[] {
    const others: Member[] = [];
    for (const { member } of this.#entries.values())
      if (!isGone(member) && (role === undefined || member.role === role)) others.push(member);
    return others;
  }

  /** Microseconds since this process itself heard of a member. */
  silentUs(id: string, nowUs: number): number {
    return nowUs - (this.#entries.get(id)?.directUs ?? nowUs);
  }

  /** Whether this process heard a member itself in the last so many microseconds. */
  isHeard(id: string, nowUs: number, withinUs: number): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && !entry.forgiven && nowUs - entry.directUs <= withinUs;
  }

  /** Microseconds since anybody did. */
  silentToAllUs(id: string, nowUs: number): number {
    const entry = this.#entries.get(id);
    return entry === undefined ? Infinity : nowUs - Math.max(entry.anyUs, entry.directUs);
  }

  /** After a pause of this process: its own silence must not be taken for that of others. */
  forgiveSilence(nowUs: number): void {
    this.#given = undefined;
    for (const entry of this.#entries.values()) {
      entry.directUs = nowUs;
      entry.forgiven = true;
    }
  }

  declareDead(id: string): void {
    this.#given = undefined;
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.member = { ...entry.member, state: "dead" };
  }

  /** All entries, to be sent to others; forgets those long gone. */
  reports(nowUs: number): readonly MemberReport[] {
    if (this.#given !== undefined && nowUs - this.#given.atUs < sameReportsUs)
      return this.#given.reports;
    const reports: MemberReport[] = [{ ...this.#self, silentMs: 0 }];
    for (const [id, { member, directUs, anyUs }] of this.#entries) {
      const silentUs = nowUs - Math.max(directUs, anyUs) + sameReportsUs;
      if (isGone(member) && silentUs > forgetGoneUs) this.#entries.delete(id);
      else reports.push({ ...member, silentMs: Math.max(0, Math.round(silentUs / 1_000)) });
    }
    this.#given = { reports, atUs: nowUs };
    return reports;
  }
}

export function isGone({ state }: Member): boolean {
  return state === "dead" || state === "left";
}

function replaces(a: Member, b: Member): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation;
  return laterStates[a.state] > laterStates[b.state];
}

function plain({ id, role, address, incarnation, state }: Member): Member {
  return { id, role, address, incarnation, state };
}
