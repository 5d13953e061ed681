/**
 * @module What every state system must do through `port.ts`, as data: for the tests here, for
 * `aft-bench contract` and for somebody else's tests. No test library is imported.
 *
 * Clauses about what a system promises apply to those that promise it. Every clause uses keys and requests of
 * its own, so that one store serves the whole suite, and may be used again.
 */
import { randomUUID } from "node:crypto";
import { kibibyte } from "#kit/bytes.ts";
import { endingClauses } from "./contract/endings.ts";
import { operationClauses } from "./contract/operations.ts";
import { promiseClauses } from "./contract/promises.ts";
import type { StateClause, StateContractSubject, StateUnderTest } from "./contract/subject.ts";

export type { StateContractSubject, StateUnderTest } from "./contract/subject.ts";

export const stateContract: readonly StateClause[] = [
  ...operationClauses,
  ...endingClauses,
  ...promiseClauses,
];

/** Opens what the clauses work with; `cleanUp` closes it. Rejects with what opening rejects with. */
export async function openStateContract(
  subject: StateContractSubject,
): Promise<{ readonly subject: StateUnderTest; readonly cleanUp: () => Promise<void> }> {
  const here = await subject.open();
  const there = await subject.open();
  const run = randomUUID();
  let names = 0;
  return {
    subject: {
      largestValueBytes: 256 * kibibyte,
      seenWithinMs: 10_000,
      ...subject,
      here,
      there,
      fresh: (what) => `contract/${run}/${(names += 1)}/${what}`,
    },
    cleanUp: async () => {
      await here.close();
      await there.close();
    },
  };
}
