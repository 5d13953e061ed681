/** @module For tests of the replica: a replica over a memory store, on a clock that stands still. */
import type { ManualClock } from "#kit/testing/manual-clock.ts";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { ReplicaSettings } from "./options.ts";
import type { CommitAnswer, PutAnswer, ReadAnswer, Replica } from "./port.ts";
import { createReplica } from "./replica.ts";

export interface TestReplica {
  readonly replica: Replica;
  readonly clock: ManualClock;
  readonly storage: StorageEngine;
  /** A fresh transaction id, not begun. */
  readonly newId: () => string;
  /** Begins and says the id. */
  readonly begin: () => string;
  /** One whole transaction; the commit's answer. */
  readonly write: (values: Readonly<Record<string, string>>) => Promise<CommitAnswer>;
  /** The value as text; `null` for absent; the code of a refusal with `!`. */
  readonly read: (transactionId: string, key: string) => Promise<string | null>;
  /** A read in a transaction of its own. */
  readonly peek: (key: string) => Promise<string | null>;
}

let seed = 0;

export async function openTestReplica(
  options: {
    readonly storage?: StorageEngine;
    readonly clock?: ManualClock;
    readonly settings?: Partial<ReplicaSettings>;
  } = {},
): Promise<TestReplica> {
  const clock = options.clock ?? createManualClock();
  const storage = options.storage ?? createMemoryEngine();
  seed += 1;
  const prng = createPrng(seed);
  const replica = await createReplica({
    storage,
    clock,
    prng,
    settings: { orphanSweepMs: 0, ...options.settings },
  });
  const newId = (): string => createUuid(clock.nowMs(), prng);
  const begin = (): string => {
    const transactionId = newId();
    const answer = replica.begin({ transactionId, requestId: "test" });
    if (answer.kind !== "begun") throw new Error(answer.message);
    return transactionId;
  };
  const read = async (transactionId: string, key: string): Promise<string | null> =>
    show(await replica.get({ transactionId, key }));
  return {
    replica,
    clock,
    storage,
    newId,
    begin,
    read,
    write: async (values) => {
      const transactionId = begin();
      for (const [key, value] of Object.entries(values))
        await put(replica, transactionId, key, value);
      return replica.commit({ transactionId });
    },
    peek: (key) => read(begin(), key),
  };
}

export async function put(
  replica: Replica,
  transactionId: string,
  key: string,
  value: string,
): Promise<PutAnswer> {
  return replica.put({ transactionId, key, value: Buffer.from(value) });
}

export function show(answer: ReadAnswer): string | null {
  if (answer.kind === "absent") return null;
  return answer.kind === "value" ? Buffer.from(answer.value).toString() : `!${answer.code}`;
}
