/**
 * Goal    `run paper` runs everything that can tell of the paper's claims, and the quick profile fits into its time.
 * Method  The plan as the command line resolves it, against the list of claims.
 */
import { describe, expect, it } from "vitest";
import { loadClaims } from "#results/load.ts";
import { planSeconds, resolvePlan } from "#bench/commands/plan.ts";
import { experiments } from "./registry.ts";

function plan(profile: string) {
  return resolvePlan({ names: ["paper"], profile, only: [] });
}

describe("the suite paper", () => {
  it("runs, at every size, each experiment that a claim is judged by", () => {
    const needed = new Set(loadClaims().flatMap((claim) => claim.experiments));
    for (const profile of ["smoke", "quick", "standard", "paper"]) {
      const planned = plan(profile)
        .parts.filter(({ cells }) => cells.length > 0)
        .map(({ definition }) => definition.id);
      for (const id of needed) expect(planned).toContain(id);
    }
  });

  it("names only experiments that there are", () => {
    const known = experiments.map(({ id }) => id);
    for (const claim of loadClaims())
      for (const id of claim.experiments) expect(known).toContain(id);
  });

  it("takes 20 minutes at most in the profile quick, and longer the larger the profile", () => {
    const [quick = 0, standard = 0, paper = 0] = ["quick", "standard", "paper"].map((profile) =>
      planSeconds(plan(profile)),
    );
    expect(quick).toBeLessThanOrEqual(20 * 60);
    expect(standard).toBeGreaterThan(quick);
    expect(paper).toBeGreaterThan(standard);
  });

  it("carries in the profile quick what each percentile of a claim needs", () => {
    const overhead = plan("quick").parts.find(({ definition }) => definition.id === "overhead");
    for (const { load } of overhead?.cells ?? [])
      if (load.model === "closed")
        expect(load.clients * load.requestsPerClient).toBeGreaterThanOrEqual(459);
  });
});
