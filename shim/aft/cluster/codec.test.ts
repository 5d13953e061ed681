/**
 * Goal    What peers say arrives as it was said; what nobody of this version says is refused as a whole.
 * Method  Every kind of message through the codec; then each field of each made wrong, one at a time.
 */
import { describe, expect, it } from "vitest";
import { type CommitRecord, key } from "../protocol/types.ts";
import { decodeAnswer, decodeMessage, encodePeer, PeerMessageError } from "./codec.ts";
import type { PeerAnswer, PeerMessage } from "./port.ts";

const uuid = "0190a000-0000-7000-8000-00000000000a";
const tagged = `${uuid}.AAAAAAAAAAAAAAAAAAAAA_`;
const from = {
  id: "r1-1",
  role: "replica",
  address: "r1",
  incarnation: 2,
  state: "alive",
  silentMs: 0,
} as const;
const manager = { ...from, id: "m1-1", role: "manager", address: "", state: "joining" } as const;
const record: CommitRecord = {
  id: { uuid: tagged, timestampUs: 7 },
  writeSet: new Set([key("k"), key("\u{1f600}")]),
  requestId: "request",
  slot: 3,
};
const plain: CommitRecord = {
  id: { uuid, timestampUs: 8 },
  writeSet: record.writeSet,
  requestId: "",
};
const batch = { after: 1, upTo: 3, records: [record, plain], reset: true };
const exchange = { from, members: [from, manager], heard: 4, batch };

const messages: readonly PeerMessage[] = [
  { kind: "sync", ...exchange, to: "r2-2" },
  { kind: "sync", from, members: [], heard: 0 },
  { kind: "tell", records: [record] },
  { kind: "collectable", records: [plain, record] },
];
const answers: readonly PeerAnswer[] = [
  { kind: "synced", ...exchange },
  { kind: "synced", from, members: [manager], heard: 0 },
  { kind: "told" },
  { kind: "collectable", from, uuids: [uuid, tagged] },
];

describe("what peers say", () => {
  it.each(messages)("arrives as it was said: $kind", (message) => {
    expect(decodeMessage(encodePeer(message))).toEqual(message);
  });

  it.each(answers)("is answered as it was said: $kind", (answer) => {
    expect(decodeAnswer(encodePeer(answer))).toEqual(answer);
  });

  it("loses what is not a field of it", () => {
    const more = { ...exchange, from: { ...from, extra: 1 }, kind: "synced", extra: 2 } as const;
    expect(decodeAnswer(encodePeer(more))).toEqual({ kind: "synced", ...exchange });
  });
});

function wrongFor(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return [null, 1, {}];
  if (typeof value === "string") return [null, true, -1];
  if (typeof value === "number") return [null, "x", -1, 1.5];
  return typeof value === "boolean" ? [null, 0] : [null, 1, []];
}

/** The value as JSON, with each place in it made wrong in turn. */
function* spoilt(
  root: object,
  node: object,
  path = "",
): Generator<{ readonly where: string; readonly text: string }> {
  for (const [name, value] of Object.entries(node) as [string, unknown][]) {
    const where = `${path}/${name}`;
    for (const wrong of wrongFor(value)) {
      Reflect.set(node, name, wrong);
      yield { where: `${where} = ${JSON.stringify(wrong)}`, text: JSON.stringify(root) };
    }
    Reflect.set(node, name, value);
    if (typeof value === "object" && value !== null) yield* spoilt(root, value, where);
  }
}

describe("what nobody says", () => {
  it.each([
    ...messages.map((said) => ({ said, decode: decodeMessage })),
    ...answers.map((said) => ({ said, decode: decodeAnswer })),
  ])("is refused whatever field is wrong: $said.kind", ({ said, decode }) => {
    const value = JSON.parse(encodePeer(said)) as object;
    for (const { where, text } of spoilt(value, value))
      expect(() => decode(text), where).toThrow(PeerMessageError);
  });

  const text = encodePeer({ kind: "tell", records: [plain] });
  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["an unknown kind", '{"kind":"told"}'],
    ["another id", text.replace(uuid, uuid.toUpperCase())],
    ["a time of 0", text.replace(",8,", ",0,")],
    ["no keys", text.replace(/\["k".*?\]/, "[]")],
    ["a field more in a record", text.replace("]]]", "],1]]")],
    ["a field less in a record", text.replace(/,\["k".*?\]/, "")],
    [
      "a member without a name",
      encodePeer({ ...exchange, kind: "sync", from: { ...from, id: "" } }),
    ],
    [
      "a long name",
      encodePeer({ ...exchange, kind: "sync", from: { ...from, id: "x".repeat(201) } }),
    ],
    [
      "a long address",
      encodePeer({ ...exchange, kind: "sync", from: { ...from, address: "x".repeat(501) } }),
    ],
    ["an unknown role", encodePeer({ ...exchange, kind: "sync" }).replace("manager", "leader")],
    ["an unknown state", encodePeer({ ...exchange, kind: "sync" }).replace("joining", "gone")],
  ])("is refused: %s", (_what, spoiled) => {
    expect(() => decodeMessage(spoiled)).toThrow(PeerMessageError);
  });
});
