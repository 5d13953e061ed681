/** @module What every workload must do. */
import assert from "node:assert/strict";
import type { ContractClause } from "#kit/contract.ts";
import { encodeValue } from "./functions/value.ts";
import type { PlannedOperation, PlannedRequest, Workload } from "./port.ts";

export interface WorkloadSubject {
  readonly create: (seed: number) => Workload;
}

const clients = 4;
const requestsEach = 50;
/** More keys than any store here is filled with. */
const mostKeys = 10_000_000;
/** What a run puts before a request's id, and a transaction's id, are about this long. */
const scope = "20261126T000000000-some-system-some-store-0000:";
const transactionId = "00000000-0000-0000-0000-000000000000";

function requestsOf(workload: Workload): PlannedRequest[] {
  return Array.from({ length: clients * requestsEach }, (_unused, at) =>
    workload.request(at % clients, Math.floor(at / clients)),
  );
}

function keysOf(operation: PlannedOperation): readonly string[] {
  return "key" in operation ? [operation.key] : operation.keys;
}

function writtenBy({ functions }: PlannedRequest): string[] {
  return functions
    .flat()
    .filter(({ kind }) => kind === "write" || kind === "writeMany")
    .flatMap(keysOf);
}

interface Rule {
  readonly name: string;
  readonly check: (subject: WorkloadSubject) => void;
}

const rules: readonly Rule[] = [
  {
    name: "gives the same request for the same seed, client and index, whatever was asked before",
    check: ({ create }) => {
      const forwards = requestsOf(create(7));
      const other = create(7);
      const backwards = forwards.map((_request, back) => {
        const at = forwards.length - 1 - back;
        return other.request(at % clients, Math.floor(at / clients));
      });
      assert.deepEqual(backwards.toReversed(), forwards);
    },
  },
  {
    name: "gives every request an id of its own",
    check: ({ create }) => {
      const ids = requestsOf(create(7)).map(({ requestId }) => requestId);
      assert.equal(new Set(ids).size, ids.length, "two requests have the same id");
    },
  },
  {
    name: "plans requests that are JSON, of one function at least, each with something to do",
    check: ({ create }) => {
      for (const request of requestsOf(create(7))) {
        assert.deepEqual(JSON.parse(JSON.stringify(request)), request);
        assert.ok(request.functions.length > 0, "a request without functions");
        assert.ok(Number.isSafeInteger(request.payloadSeed), "payloadSeed is no whole number");
        for (const operations of request.functions)
          assert.ok(operations.length > 0, "a function without operations");
      }
    },
  },
  {
    name: "knows every key it may touch, and names each once",
    check: ({ create }) => {
      const workload = create(7);
      const keys = new Set<string>();
      let named = 0;
      for (const key of workload.keys()) {
        keys.add(key);
        named += 1;
        assert.ok(named <= mostKeys, `more than ${mostKeys} keys`);
      }
      assert.equal(keys.size, named, "a key is named twice");
      const touched = requestsOf(workload).flatMap(({ functions }) => functions.flat());
      const unknown = touched.flatMap(keysOf).find((key) => !keys.has(key));
      assert.equal(unknown, undefined, `it touches ${unknown}, which it does not name`);
    },
  },
  {
    name: "says what a request writes: sorted, without repeats",
    check: ({ create }) => {
      for (const request of requestsOf(create(7)))
        assert.deepEqual(request.writeSet, [...new Set(writtenBy(request))].toSorted());
    },
  },
  {
    name: "names a key once within an operation on many",
    check: ({ create }) => {
      for (const operation of requestsOf(create(7)).flatMap(({ functions }) => functions.flat()))
        assert.equal(new Set(keysOf(operation)).size, keysOf(operation).length);
    },
  },
  {
    name: "has values with room for who wrote them and what was written with them",
    check: ({ create }) => {
      const workload = create(7);
      for (const { requestId, writeSet } of requestsOf(workload)) {
        const stamp = { requestId: scope + requestId, transactionId, writeSet, sequence: 9_999 };
        encodeValue(stamp, workload.valueBytes, 1);
      }
    },
  },
];

export const workloadContract = rules.map(({ name, check }): ContractClause<WorkloadSubject> => ({
  name,
  check: (subject) => Promise.resolve(subject).then(check),
}));
