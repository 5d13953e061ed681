/**
 * Goal    What members tell each other of a silent one never makes it look alive, and what has changed is told
 *         at once.
 * Method  Two tables that exchange reports, on a clock that is an argument.
 */
import { describe, expect, it } from "vitest";
import { type Member, type MemberReport, Members } from "./members.ts";

function member(id: string): Member {
  return { id, role: "replica", address: `${id}:1`, incarnation: 1, state: "alive" };
}

const spoken = (id: string): MemberReport => ({ ...member(id), silentMs: 0 });

function tell(from: Members, to: Members, nowUs: number): void {
  for (const report of from.reports(nowUs)) to.learn(report, nowUs, report.id === from.self.id);
}

describe("reports of members", () => {
  it("never make one look heard later than it was, however often they go round", () => {
    const [a, b] = [new Members(member("a")), new Members(member("b"))];
    a.learn(spoken("dead"), 0, true);
    for (let nowUs = 0; nowUs < 10_000_000; nowUs += 7_000) {
      tell(a, b, nowUs);
      tell(b, a, nowUs + 3_000);
      for (const one of [a, b])
        expect(one.silentToAllUs("dead", nowUs + 3_000)).toBeGreaterThanOrEqual(nowUs);
    }
  });

  it("tell of a change at once", () => {
    const own = new Members(member("a"));
    const states = (): string[] => own.reports(0).map(({ id, state }) => `${id} ${state}`);
    expect(states()).toEqual(["a alive"]);
    own.learn(spoken("b"), 0, true);
    expect(states()).toEqual(["a alive", "b alive"]);
    own.setState("draining");
    expect(states()).toEqual(["a draining", "b alive"]);
    own.declareDead("b");
    expect(states()).toEqual(["a draining", "b dead"]);
    own.reincarnate(1);
    expect(own.reports(0)[0]).toMatchObject({ incarnation: 2, state: "joining" });
  });
});
