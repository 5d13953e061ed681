/**
 * Goal    Between two events everything that follows from the first has happened; order is time, then tie,
 *         then arrival; cancelled events do not happen.
 * Method  Chains of promises of any depth, made by the event; a heap against sorting.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventQueue, type SimEvent } from "./event-queue.ts";
import { SimLoop } from "./loop.ts";
import { Trace } from "./trace.ts";

const what = { kind: "timer", owner: 1, digest: 0 } as const;
const newLoop = (): SimLoop => new SimLoop({ trace: new Trace() });

describe("virtual time", () => {
  it.each([1, 100, 5_000])("waits for promises %d deep before the next event", async (depth) => {
    const loop = newLoop();
    const seen: string[] = [];
    const dig = async (left: number): Promise<void> => {
      if (left === 0) return;
      await Promise.resolve();
      await dig(left - 1);
    };
    loop.after(10, what, () => {
      void dig(depth).then(() => seen.push(`deep at ${loop.nowUs}`));
    });
    loop.after(10, what, () => seen.push("same instant"));
    loop.after(11, what, () => seen.push("next"));
    await loop.run(20);
    expect(seen).toEqual(["deep at 10", "same instant", "next"]);
    expect(loop.nowUs).toBe(20);
  });

  it("waits for what async iterators, races and rejections do", async () => {
    const loop = newLoop();
    const seen: string[] = [];
    async function* three(): AsyncGenerator<number> {
      for (let one = 0; one < 3; one += 1) yield await Promise.resolve(one);
    }
    loop.after(1, what, () => {
      void (async () => {
        for await (const one of three()) seen.push(String(one));
        await Promise.race([new Promise(() => {}), Promise.resolve()]);
        await Promise.reject(new Error("x")).catch(() => seen.push("caught"));
        await Promise.any([Promise.reject(new Error("y")), Promise.resolve()]);
        seen.push("done");
      })();
    });
    loop.after(2, what, () => seen.push("next"));
    await loop.run(5);
    expect(seen).toEqual(["0", "1", "2", "caught", "done", "next"]);
  });

  it("stops where it is told to, and goes on from there", async () => {
    const loop = newLoop();
    let count = 0;
    const again = (): void => {
      count += 1;
      loop.after(10, what, again);
    };
    loop.after(10, what, again);
    await loop.run(1_000_000, () => count === 7);
    expect([count, loop.nowUs]).toEqual([7, 70]);
    await loop.run(100);
    expect([count, loop.nowUs]).toEqual([10, 100]);
  });

  it("passes on what an event throws", async () => {
    const loop = newLoop();
    loop.after(1, what, () => {
      throw new Error("broken");
    });
    await expect(loop.run(5)).rejects.toThrow("broken");
  });

  it("hashes equal events alike and different ones differently", async () => {
    const hashOf = async (digests: readonly number[]): Promise<string> => {
      const loop = newLoop();
      for (const digest of digests) loop.after(digest, { ...what, digest }, () => {});
      await loop.run(100);
      return loop.trace.hash;
    };
    expect(await hashOf([1, 2, 3])).toBe(await hashOf([1, 2, 3]));
    expect(await hashOf([1, 2, 3])).not.toBe(await hashOf([1, 2, 4]));
    expect(await hashOf([1, 2, 3])).not.toBe(await hashOf([1, 2]));
  });
});

it("gives events back in order, whatever is cancelled", () => {
  const arbEvent = fc.record({
    timeUs: fc.nat({ max: 20 }),
    tie: fc.nat({ max: 2 }),
    cancelled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(arbEvent, { maxLength: 600 }), (drawn) => {
      const queue = new EventQueue();
      const events = drawn.map(({ timeUs, tie }, order): SimEvent => ({
        ...what,
        timeUs,
        tie,
        order,
        plain: false,
        task: () => {},
      }));
      for (const event of events) queue.push(event);
      for (const [index, { cancelled }] of drawn.entries())
        if (cancelled && events[index] !== undefined) queue.cancel(events[index]);
      const kept = events.filter(({ task }) => task !== undefined);
      expect(queue.size).toBe(kept.length);
      const sorted = kept.toSorted(
        (a, b) => a.timeUs - b.timeUs || a.tie - b.tie || a.order - b.order,
      );
      const popped: SimEvent[] = [];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) popped.push(next);
      expect(popped).toEqual(sorted);
    }),
  );
});
