/**
 * @module Reports of members that are equal, as one object. In a large cluster everybody tells everybody of everybody:
 * of 1,024 members, each message under way holds 1,025 reports, and where cores are full they are under way for
 * seconds. A process of the real cluster holds its own only; here all are in one heap.
 *
 * Changes nothing that a receiver could see: reports are values.
 */
import type { MemberReport, MemberState } from "#shim/aft/protocol/members.ts";

/** The same member, incarnation and state: what is left is how long it was silent. */
interface Subject {
  readonly incarnation: number;
  readonly state: MemberState;
  readonly bySilence: Map<number, MemberReport>;
}

export class SharedReports {
  readonly #subjects = new Map<string, Subject>();
  /** Lists are given again for a while (`Members.reports`), and mapped once. */
  readonly #lists = new WeakMap<readonly MemberReport[], readonly MemberReport[]>();

  /** The same reports; as few objects as there are different ones. */
  share(reports: readonly MemberReport[]): readonly MemberReport[] {
    const known = this.#lists.get(reports);
    if (known !== undefined) return known;
    const shared = reports.map((report) => this.#one(report));
    this.#lists.set(reports, shared);
    return shared;
  }

  #one(report: MemberReport): MemberReport {
    const { id, incarnation, state, silentMs } = report;
    let subject = this.#subjects.get(id);
    if (subject?.incarnation !== incarnation || subject.state !== state) {
      subject = { incarnation, state, bySilence: new Map() };
      this.#subjects.set(id, subject);
    }
    const known = subject.bySilence.get(silentMs);
    if (known !== undefined) return known;
    subject.bySilence.set(silentMs, report);
    return report;
  }
}
