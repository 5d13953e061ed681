/**
 * @module What every storage engine must do; capabilities decide which clauses apply.
 *
 * Each clause works under a prefix of its own, so that one store serves them all.
 */
import { listing } from "./contract/listing.ts";
import { conditionalWrites, lifetime, limits, readsAndWrites } from "./contract/operations.ts";
import { sealing } from "./contract/sealing.ts";
import type { OpenForContract, StorageClause, StorageSubject } from "./contract/subject.ts";

export type { OpenForContract, StorageSubject } from "./contract/subject.ts";

export const storageContract: readonly StorageClause[] = [
  ...readsAndWrites,
  ...conditionalWrites,
  ...sealing,
  ...listing,
  ...limits,
  ...lifetime,
];

/** A subject on a store of its own, and how to end both. */
export async function openStorageSubject(
  open: OpenForContract,
): Promise<{ readonly subject: StorageSubject; readonly cleanUp: () => Promise<void> }> {
  let cases = 0;
  const prefix = (): string => `contract/c${(cases += 1)}/`;
  const opened = await open();
  return {
    subject: { ...opened, open, prefix },
    cleanUp: async () => {
      await opened.engine.close();
      await opened.cleanUp();
    },
  };
}
