/**
 * Goal    The number of a write decides, not its arrival: functions talk over different connections, so a
 *         later write of a key may arrive before an earlier one.
 */
import { expect, it } from "vitest";
import { openTestReplica } from "./testing.ts";

it.each([
  ["buffered", undefined],
  ["spilled", 1],
])("keeps the last write of a key whatever the order of arrival: %s", async (_name, bytes) => {
  const settings = bytes === undefined ? {} : { maxBufferBytes: bytes };
  const { replica, begin, peek } = await openTestReplica({ settings });
  const transactionId = begin();
  const write = async (sequence: number, key: string, value: string): Promise<void> => {
    const call = { transactionId, key, value: Buffer.from(value), sequence };
    expect(await replica.put(call)).toEqual({ kind: "buffered" });
  };
  await write(3, "k", "third");
  await write(4, "l", "fourth");
  await write(1, "k", "first");
  await write(2, "l", "second");
  // In order again.
  await write(5, "m", "fifth");
  await write(6, "m", "sixth");
  const answer = await replica.get({ transactionId, key: "k", afterWrites: 6 });
  expect(answer).toEqual({ kind: "value", value: Buffer.from("third") });
  expect(await replica.commit({ transactionId, afterWrites: 6 })).toMatchObject({
    kind: "committed",
  });
  expect([await peek("k"), await peek("l"), await peek("m")]).toEqual(["third", "fourth", "sixth"]);
});
