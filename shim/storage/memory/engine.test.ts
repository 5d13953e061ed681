import { describeStorageContract } from "../testing/describe-storage-contract.ts";
import { createMemoryEngine } from "./engine.ts";

describeStorageContract("memory", () =>
  Promise.resolve({ engine: createMemoryEngine(), cleanUp: () => Promise.resolve() }),
);
