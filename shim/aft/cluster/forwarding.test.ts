/**
 * Goal    What a replica committed reaches everybody, also when it is gone before it has told all; and who
 *         joins reads the commit set once.
 * Method  As `cluster.test.ts`, with links that carry nothing.
 */
import { describe, expect, it } from "vitest";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { TestCluster, type TestMember, withCalls } from "./testing.ts";

async function pair(
  seed: number,
  storage?: StorageEngine,
): Promise<{ cluster: TestCluster; one: TestMember; two: TestMember }> {
  const cluster = new TestCluster({ seed, ...(storage !== undefined && { storage }) });
  const one = await cluster.replica("r1");
  const two = await cluster.replica("r2");
  await cluster.seconds(3);
  return { cluster, one, two };
}

describe("joining", () => {
  it("reads the commit set once, although its peers have forgotten what came before", async () => {
    const storage = createMemoryEngine();
    const { cluster, one, two } = await pair(31, storage);
    for (let index = 0; index < 5; index += 1) {
      await one.write({ [`a${index}`]: "1" });
      await two.write({ [`b${index}`]: "1" });
    }
    await cluster.seconds(5);
    let listings = 0;
    const counted = withCalls(storage, {
      list: (prefix, options) => {
        if (prefix === cluster.names.commitPrefix) listings += 1;
        return storage.list(prefix, options);
      },
    });
    const three = await cluster.replica("r3", { storage: counted });
    await cluster.seconds(8);
    expect(three.member.self.state).toBe("alive");
    expect(await three.peek("a4")).toBe("1");
    expect(listings).toBe(1);
  });
});

describe("a replica dies whose last commits only some have heard", () => {
  async function three(seed: number): Promise<{
    cluster: TestCluster;
    one: TestMember;
    last: TestMember;
    cut: (links: readonly string[]) => void;
    mend: () => void;
  }> {
    const cluster = new TestCluster({ seed });
    const one = await cluster.replica("r1");
    await cluster.replica("r2");
    const last = await cluster.replica("r3");
    cluster.manager();
    await cluster.seconds(5);
    const { cut } = cluster.network.faults;
    return {
      cluster,
      one,
      last,
      cut: (links) => {
        for (const link of links) cut.add(link);
      },
      mend: () => {
        cut.clear();
      },
    };
  }
  const apart = ["r1>r3", "r3>r1"];

  it("the manager tells those who have not, although it has heard them itself", async () => {
    const { cluster, one, last, cut } = await three(41);
    cut(apart);
    await one.write({ x: "1" });
    await cluster.seconds(2);
    expect(await last.peek("x")).toBeNull();
    one.kill();
    await cluster.seconds(8);
    expect(await last.peek("x")).toBe("1");
  });

  it("and tells them again when that was lost", async () => {
    const { cluster, one, last, cut, mend } = await three(42);
    cut(apart);
    await one.write({ x: "1" });
    await cluster.seconds(2);
    one.kill();
    await cluster.seconds(2.5);
    // Around the moment of telling r3 hears nothing, for less than would make it dead.
    cut(["m:1>r3"]);
    await cluster.seconds(2);
    mend();
    await cluster.seconds(6);
    expect(await last.peek("x")).toBe("1");
  });

  it("and who had not heard it for long reads the commit set", async () => {
    const { cluster, one, last, cut } = await three(43);
    cut(apart);
    await one.write({ x: "1" });
    await cluster.seconds(40);
    expect(await last.peek("x")).toBeNull();
    one.kill();
    await cluster.seconds(12);
    expect(await last.peek("x")).toBe("1");
  });

  it("also when it leaves in order, but one of the others cannot be reached", async () => {
    const { cluster, one, last, cut } = await three(44);
    cut(apart);
    await one.write({ x: "1" });
    await cluster.seconds(2);
    void one.member.leave();
    await cluster.seconds(10);
    expect(await last.peek("x")).toBe("1");
  });
});
