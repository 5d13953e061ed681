/**
 * Goal    A replica that missed more of a stream than is kept reads the commit set, however soon after the
 *         last time (`maxKept`, D34).
 */
import { expect, it } from "vitest";
import { TestCluster } from "./testing.ts";

it("reads the commit set again when it misses more right after it has read it", async () => {
  const cluster = new TestCluster({
    seed: 1,
    settings: { seeds: ["r1", "r2"], multicastMs: 200, maxKept: 4 },
  });
  const r1 = await cluster.replica("r1");
  const r2 = await cluster.replica("r2");
  await cluster.seconds(3);
  const { cut } = cluster.network.faults;
  const missSome = async (prefix: string): Promise<string[]> => {
    const keys = Array.from({ length: 10 }, (_unused, index) => `${prefix}${index}`);
    cut.add("r1>r2").add("r2>r1");
    for (const key of keys) await r1.write({ [key]: "v" });
    await cluster.seconds(0.5);
    cut.clear();
    return keys;
  };
  const first = await missSome("a");
  await cluster.seconds(2);
  expect(await r2.peek(first[0] ?? "")).toBe("v");
  // It pauses now, so that a peer far behind does not read all the time.
  const second = await missSome("b");
  await cluster.seconds(10);
  for (const key of [...first, ...second]) expect(await r2.peek(key)).toBe("v");
});
