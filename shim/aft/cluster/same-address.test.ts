/**
 * Goal    A replica that takes the address of a dead one begins a stream of its own: how far the dead one's
 *         was heard says nothing about it.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./testing.ts";

it("tells its commits to a peer that still believes to speak to its predecessor", async () => {
  const cluster = new TestCluster({
    seed: 1,
    settings: { seeds: ["r1", "r2"], multicastMs: 200 },
  });
  const before = await cluster.replica("r1");
  const r2 = await cluster.replica("r2");
  await cluster.seconds(3);
  for (let index = 0; index < 6; index += 1) await before.write({ [`before${index}`]: "v" });
  await cluster.seconds(1);
  expect(await r2.peek("before5")).toBe("v");

  const { cut } = cluster.network.faults;
  cut.add("r1>r2").add("r2>r1");
  before.kill();
  const after = await cluster.replica("r1");
  await cluster.seconds(3);
  const keys = ["after0", "after1", "after2"];
  for (const key of keys) await after.write({ [key]: "v" });
  cut.clear();
  await cluster.seconds(3);
  for (const key of keys) expect(await r2.peek(key)).toBe("v");
});
