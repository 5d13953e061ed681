/**
 * Goal    The load flags make the load they name, or are refused all at once.
 * Method  Hand cases over a real experiment's cells.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { overhead } from "#bench/experiments/overhead.ts";
import { type LoadFlags, withLoad } from "./load-flags.ts";

const cells = overhead.cells("smoke").filter(({ cell }) => cell.storage === "redis");

describe("withLoad", () => {
  it("leaves cells as they are without flags", () => {
    expect(withLoad(cells, {})).toEqual(cells);
  });

  it("puts every cell under the same schedule, and names it in the cell", () => {
    const [first] = withLoad(cells, { rate: 200, duration: 5, timeoutMs: 500 });
    expect(first?.cell["arrivals"]).toBe("poisson 200/s");
    expect(first?.load).toMatchObject({
      model: "open",
      arrivals: { kind: "poisson", perSecond: 200, seconds: 5 },
      slots: 16,
      timeoutUs: 500_000,
      slotWaitUs: 500_000,
    });
  });

  it("reads stages", () => {
    const [first] = withLoad(cells, { stages: "10s:0-200,2.5s:200", arrivals: "constant" });
    expect(first?.load).toMatchObject({
      arrivals: {
        gaps: "even",
        stages: [
          { seconds: 10, fromPerSecond: 0, toPerSecond: 200 },
          { seconds: 2.5, fromPerSecond: 200, toPerSecond: 200 },
        ],
      },
    });
  });

  it("gives a closed loop think time", () => {
    const [first] = withLoad(cells, { thinkMs: 4 });
    expect(first?.load).toMatchObject({ model: "closed", thinkTimeUs: 4_000 });
    expect(first?.cell["thinkMs"]).toBe(4);
  });

  it.each([
    [{ rate: 5, stages: "1s:5", thinkMs: 1 }, 2],
    [{ stages: "1s:5", duration: 5 }, 1],
    [{ slots: 5, timeoutMs: 5 }, 2],
    [{ rate: 0 }, 1],
    [{ stages: "5x,1s:2,y" }, 2],
    [{ trace: "/nonexistent" }, 1],
  ] as [LoadFlags, number][])("refuses %j", (flags, problems) => {
    try {
      withLoad(cells, flags);
      expect.unreachable("should have been refused");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems).toHaveLength(problems);
    }
  });

  it("changes clients, requests, duration and think time of a closed loop", () => {
    const [first] = withLoad(cells, { clients: 4, duration: 20, thinkMs: 3 });
    expect(first?.load).toMatchObject({
      model: "closed",
      clients: 4,
      seconds: 20,
      thinkTimeUs: 3_000,
    });
    expect(first?.cell).toMatchObject({ clients: 4, seconds: 20, thinkMs: 3 });
    expect(withLoad(cells, { requests: 7 })[0]?.load).toMatchObject({ requestsPerClient: 7 });
    expect(() => withLoad(cells, { rate: 5, clients: 4 })).toThrow(/--clients.*closed loop/s);
  });

  it("shares the load among several processes, where its cells can be shared", () => {
    const [first] = withLoad(cells, { generators: 3 });
    expect(first?.load.generators).toBe(3);
    expect(first?.cell["generators"]).toBe(3);
    expect(withLoad(cells, { generators: 1 })).toEqual(cells);
    expect(() => withLoad(cells, { generators: 11 })).toThrow(/cannot share 10 clients/);
    const memory = overhead.cells("smoke").filter(({ cell }) => cell.storage === "memory");
    expect(() => withLoad(memory, { generators: 2 })).toThrow(/lives in one process/);
    const aft = memory.filter(({ system }) => system === "aft");
    expect(withLoad(aft, { generators: 2 })).toHaveLength(aft.length);
  });

  it("refuses a trace with a bad line, and names the line", () => {
    const path = join(mkdtempSync(join(tmpdir(), "aft-bench-trace-")), "day.txt");
    writeFileSync(path, "0\n12.5\nnoon\n");
    try {
      expect(() => withLoad(cells, { trace: path })).toThrow(ConfigError);
      expect(() => withLoad(cells, { trace: path })).toThrow(/day\.txt:3/);
      writeFileSync(path, "0\n12.5\n");
      expect(withLoad(cells, { trace: path })[0]?.load).toMatchObject({
        model: "open",
        arrivals: { kind: "trace", dueUs: [0, 12_500] },
      });
      expect(() => withLoad(cells, { trace: `${path}.missing` })).toThrow(/cannot read/);
    } finally {
      rmSync(dirname(path), { recursive: true });
    }
  });
});
