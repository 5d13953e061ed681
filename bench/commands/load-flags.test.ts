/**
 * Goal    The load flags make the load they name, or are refused all at once.
 * Method  Hand cases over a real experiment's cells.
 */
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
    [{ duration: 5 }, 1],
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
});
