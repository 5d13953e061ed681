import { afterAll, beforeAll, describe, it } from "vitest";
import type { ContractClause } from "../contract.ts";

/** A contract as tests: one for each clause, skipped with its reason where it does not apply. */
export function describeContract<Subject>(
  title: string,
  clauses: readonly ContractClause<Subject>[],
  open: () => Promise<{ readonly subject: Subject; readonly cleanUp: () => Promise<void> }>,
): void {
  describe(title, () => {
    let subject: Subject;
    let cleanUp: (() => Promise<void>) | undefined;
    beforeAll(async () => {
      ({ subject, cleanUp } = await open());
    });
    afterAll(() => cleanUp?.());

    for (const { name, notFor, check } of clauses)
      it(name, async ({ skip }) => {
        const why = notFor?.(subject);
        skip(why !== undefined, why);
        await check(subject);
      });
  });
}
