/**
 * Goal    Who serves has read the commit set (J1): an older version, or none, is a violation; a newer one, an own write,
 *         and a version that was collected meanwhile are not.
 */
import { expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { type CommitRecord, key } from "#shim/aft/protocol/types.ts";
import type { ReadAnswer } from "#shim/aft/replica/port.ts";
import { encodeValue } from "#workloads/functions/value.ts";
import { Freshness } from "./freshness.ts";
import { SimStore } from "./store.ts";

const k = key("k");
const record = (timestampUs: number, uuid: string): CommitRecord => ({
  id: { timestampUs, uuid },
  writeSet: new Set([k]),
  requestId: uuid,
});
const [older, least, newer] = [record(1, "older"), record(2, "least"), record(3, "newer")];

const from = (transactionId: string): ReadAnswer => {
  const stamp = { requestId: "", transactionId, writeSet: ["k"], sequence: 0 };
  return { kind: "value", value: encodeValue(stamp, 200, 1) };
};
const refused: ReadAnswer = {
  kind: "refused",
  code: "storage_unavailable",
  message: "",
  disposition: "retry",
};

/** What is said of some answers, one after another, at a replica that joined when `least` was the newest. */
function violationsOf(
  answers: readonly ReadAnswer[],
  { isReadable = true, isThere = true } = {},
): string[] {
  const names = createNames("aft");
  const store = new SimStore({ nowUs: () => 0, prng: createPrng(1), lagUs: 0 });
  if (isThere) store.put(names.version(k, "least"), Buffer.from("v"));
  const said: string[] = [];
  const freshness = new Freshness({
    oracle: {
      newest: new Map([[k, least]]),
      committed: new Map([older, least, newer].map((one) => [one.id.uuid, one])),
      isReadable: () => isReadable,
    },
    store,
    names,
    isExact: true,
    onViolation: (what) => said.push(what),
  });
  const floor = freshness.floor();
  for (const answer of answers)
    freshness.judge({ answer, key: k, floor, transactionId: "me", name: "r1-1" });
  return said;
}

it.each([
  ["nothing", { kind: "absent" } as const],
  ["an older version", from("older")],
])("%s is a violation where a newer one was durable before it joined", (_what, answer) => {
  expect(violationsOf([answer])).toEqual([
    expect.stringMatching(/^J1: r1-1 answered me with k from (nobody|older), although least/),
  ]);
});

it.each([
  ["that version", [from("least")]],
  ["a newer one, and whatever comes after it", [from("newer"), from("older")]],
  ["an own write", [from("me")]],
  ["a refusal", [refused]],
])("%s is none", (_what, answers) => {
  expect(violationsOf(answers)).toEqual([]);
});

it("an own write or a refusal says nothing about others: the next answer is judged", () => {
  expect(violationsOf([from("me"), refused, { kind: "absent" }])).toHaveLength(1);
});

it("what was collected since may be missing", () => {
  expect(violationsOf([from("older")], { isReadable: false })).toEqual([]);
  expect(violationsOf([{ kind: "absent" }], { isThere: false })).toEqual([]);
});
