/** @module Parts of `micro parts` that every transaction goes through. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { chooseVersion } from "#shim/aft/protocol/choose-version.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { planCommit } from "#shim/aft/protocol/plan-commit.ts";
import { type CommitRecord, type Key, key } from "#shim/aft/protocol/types.ts";
import { VersionIndex } from "#shim/aft/protocol/version-index.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { RespBuffer } from "#kit/node/resp-buffer.ts";
import { RespParser } from "#shim/aft/server/resp-parser.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { Part } from "./parts.ts";

const valueBytes = 4_096;
const keyCount = 1_000;
const value = Buffer.alloc(valueBytes, "v");
const clock = createSystemClock();
const prng = createPrng(1);
const limits = {
  maxArguments: 10_000,
  maxBulkBytes: 2 ** 24,
  maxCommandBytes: 2 ** 26,
  maxInlineBytes: 65_536,
};
const dollar = 36;

/** A committed transaction of those keys. */
export function recordOf(timestampUs: number, keys: readonly string[]): CommitRecord {
  return {
    id: { timestampUs, uuid: createUuid(1_800_000_000_000 + timestampUs, prng) },
    writeSet: new Set(keys.map((text) => key(text))),
    requestId: `request-${timestampUs}`,
  };
}

export function pathParts(): Part[] {
  return [
    parsing("parse-get", ["AFT.GET", createUuid(1, prng), "key-17"]),
    parsing("parse-set-4k", ["AFT.SET", createUuid(1, prng), "key-17", value.toString("latin1")]),
    encoding,
    ...[1, 10, 100, 1_000, 10_000].map(choosingNewest),
    ...[10, 100, 1_000, 10_000].map(choosingOldest),
    planning,
    indexing,
    transaction,
  ];
}

function parsing(id: string, words: readonly string[]): Part {
  const one = `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  // As much as a read of a busy connection brings.
  const perChunk = Math.max(1, Math.floor(65_536 / one.length));
  const chunk = Buffer.from(one.repeat(perChunk), "latin1");
  return {
    id,
    per: "command",
    block: (count) => {
      let seen = 0;
      const parser = new RespParser(limits, (request) => {
        if (request.is(0, "AFT.GET")) seen += 1;
        seen += request.size(request.length - 1);
      });
      const chunks = Math.ceil(count / perChunk);
      return () => {
        for (let index = 0; index < chunks; index += 1) parser.feed(chunk);
        if (seen === 0) throw new Error("nothing was parsed");
      };
    },
  };
}

const encoding: Part = {
  id: "encode-4k",
  per: "reply",
  block: (count) => {
    const replies = new RespBuffer();
    return () => {
      for (let index = 0; index < count; index += 1) {
        replies.header(dollar, valueBytes);
        replies.bytes(value);
        replies.endLine();
        // Sixteen in one write.
        if (index % 16 === 15) {
          replies.take();
          replies.reuse(true);
        }
      }
    };
  },
};

/** The newest version is valid, as it nearly always is. */
function choosingNewest(versions: number): Part {
  return {
    id: `choose-newest-of-${versions}`,
    per: "choice",
    block: (count) => {
      const wanted = key("wanted");
      const writers = versionsOf("wanted", versions, []);
      const observed = new Map<Key, CommitRecord>([
        [key("seen-1"), recordOf(versions + 1, ["seen-1"])],
        [key("seen-2"), recordOf(versions + 2, ["seen-2"])],
      ]);
      return () => {
        for (let index = 0; index < count; index += 1) expectVersion(wanted, observed, writers);
      };
    },
  };
}

/** All but the oldest were written together with a key that was read before that. */
function choosingOldest(versions: number): Part {
  return {
    id: `choose-oldest-of-${versions}`,
    per: "choice",
    block: (count) => {
      const wanted = key("wanted");
      const oldest = recordOf(1, ["wanted", "seen"]);
      const writers = [oldest, ...versionsOf("wanted", versions - 1, ["seen"])];
      const observed = new Map<Key, CommitRecord>([[key("seen"), oldest]]);
      const known = (): readonly CommitRecord[] => writers;
      return () => {
        for (let index = 0; index < count; index += 1)
          expectVersion(wanted, observed, writers, known);
      };
    },
  };
}

function versionsOf(name: string, count: number, together: readonly string[]): CommitRecord[] {
  return Array.from({ length: count }, (_unused, index) =>
    recordOf(index + 2, [name, ...together]),
  );
}

function expectVersion(
  wanted: Key,
  observed: ReadonlyMap<Key, CommitRecord>,
  writers: readonly CommitRecord[],
  known?: () => readonly CommitRecord[],
): void {
  const choice = chooseVersion(wanted, observed, writers, known);
  if (choice.kind !== "version") throw new Error(`chosen: ${choice.kind}`);
}

const planning: Part = {
  id: "plan-commit-2x4k",
  per: "commit",
  block: (count) => {
    const names = createNames("aft");
    const record = recordOf(1, ["key-1", "key-2"]);
    const buffered = new Map([...record.writeSet].map((one) => [one, value]));
    return () => {
      for (let index = 0; index < count; index += 1) planCommit(names, record, buffered);
    };
  },
};

/** Two keys of a thousand each; what is superseded leaves. */
const indexing: Part = {
  id: "index-add-remove",
  per: "commit",
  block: (count) => {
    const index = new VersionIndex();
    const records = Array.from({ length: count }, (_unused, at) =>
      recordOf(at + 1, [`key-${at % keyCount}`, `key-${(at * 7) % keyCount}`]),
    );
    return () => {
      for (const record of records) for (const old of index.add(record)) index.remove(old);
    };
  },
};

/** Two functions of two reads and a write, 4 KB, one after another. */
const transaction: Part = {
  id: "transaction-over-memory",
  per: "transaction",
  block: async (count) => {
    const replica = await createReplica({
      storage: createMemoryEngine(),
      clock,
      prng: prng.fork("replica"),
      settings: { orphanSweepMs: 0 },
    });
    let made = 0;
    const one = async (): Promise<void> => {
      const begun = replica.begin({ requestId: `request-${made}` });
      if (begun.kind !== "begun") throw new Error(begun.message);
      const { transactionId } = begun;
      for (let step = 0; step < 2; step += 1) {
        for (let read = 0; read < 2; read += 1)
          await replica.get({ transactionId, key: `key-${(made * 31 + read) % keyCount}` });
        await replica.put({
          transactionId,
          key: `key-${(made * 17 + step) % keyCount}`,
          value,
          sequence: step,
        });
        made += 1;
      }
      const answer = await replica.commit({ transactionId });
      if (answer.kind !== "committed") throw new Error(answer.refusal.message);
    };
    return async () => {
      for (let index = 0; index < count; index += 1) await one();
      await replica.close();
    };
  },
};
