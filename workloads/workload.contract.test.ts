/**
 * Goal    The workloads here keep their contract, and each of its clauses can be broken.
 * Method  The contract as tests; then workloads with one mistake each.
 */
import { describe, expect, it } from "vitest";
import { checkContract } from "#kit/contract.ts";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import type { PlannedRequest, Workload } from "./port.ts";
import { createWorkload } from "./registry.ts";
import { workloadContract, type WorkloadSubject } from "./workload.contract.ts";

const size = { keyCount: 50, valueBytes: 512 };
const own = {
  paper: { ...size, functions: 2, readsPerFunction: 2, writesPerFunction: 1, zipfTheta: 1 },
  "write-only": { ...size, writes: 5, batch: "batch" },
};

for (const [name, parameters] of Object.entries(own))
  describeContract(`workload contract: ${name}`, workloadContract, () =>
    Promise.resolve({
      subject: { create: (seed: number) => createWorkload({ name, parameters, seed }) },
      cleanUp: () => Promise.resolve(),
    }),
  );

async function broken(change: (workload: Workload) => Partial<Workload>): Promise<string[]> {
  const subject: WorkloadSubject = {
    create: (seed) => {
      const workload = createWorkload({ name: "paper", parameters: own.paper, seed });
      return { ...workload, ...change(workload) };
    },
  };
  const clock = createManualClock();
  const results = await checkContract({ clauses: workloadContract, subject, clock });
  return results.filter(({ outcome }) => outcome === "broken").map(({ name }) => name);
}

function withRequests(change: (request: PlannedRequest, call: number) => Partial<PlannedRequest>) {
  return (workload: Workload): Partial<Workload> => {
    let calls = 0;
    return {
      request: (client, index) => {
        const planned = workload.request(client, index);
        return { ...planned, ...change(planned, (calls += 1)) };
      },
    };
  };
}

describe("a broken workload", () => {
  it.each<[clause: RegExp, change: (workload: Workload) => Partial<Workload>]>([
    [/same request for the same seed/, withRequests((_one, call) => ({ payloadSeed: call }))],
    [/id of its own/, withRequests(() => ({ requestId: "always" }))],
    [/something to do/, withRequests(({ functions }) => ({ functions: [...functions, []] }))],
    [/names each once/, () => ({ keys: () => ["k1", "k1"] })],
    [/says what a request writes/, withRequests(() => ({ writeSet: [] }))],
    [
      /names a key once within/,
      withRequests(({ functions }) => {
        const [read] = functions.flat();
        const key = read !== undefined && "key" in read ? read.key : "";
        return { functions: [...functions, [{ kind: "readMany", keys: [key, key] }]] };
      }),
    ],
    [/room for who wrote them/, () => ({ valueBytes: 20 })],
  ])("is told which clause it breaks: %s", async (clause, change) => {
    expect(await broken(change)).toEqual([expect.stringMatching(clause)]);
  });
});
