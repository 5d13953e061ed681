/** @module The storage contract as tests. */
import { describeContract } from "#kit/testing/describe-contract.ts";
import { openStorageSubject, type OpenForContract, storageContract } from "../storage.contract.ts";

export function describeStorageContract(name: string, open: OpenForContract): void {
  describeContract(`storage contract: ${name}`, storageContract, () => openStorageSubject(open));
}
