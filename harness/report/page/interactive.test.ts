/**
 * Goal    Any figure becomes live without being known: it compiles without a warning and runs with the
 *         interpreter, which makes no code of texts.
 * Method  The shapes figures have (bars by name, layers over time, panels side by side and above each
 *         other), compiled and run without a screen.
 */
import { describe, expect, it } from "vitest";
import { type LoggerInterface, parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type TopLevelSpec } from "vega-lite";
import { sharedConfig } from "../figures/figure.ts";
import { interactive, type Theme } from "./interactive.ts";

const values = [
  { group: "redis", series: "aft", p50: 1, p99: 5, seconds: 1, runId: "r1" },
  { group: "redis", series: "direct", p50: 2, p99: 4, seconds: 2, runId: "r2" },
];
const colour = { field: "series", type: "nominal", scale: { range: ["#000", "#999999"] } };
const bars = {
  layer: [
    {
      data: { values },
      mark: { type: "bar" },
      encoding: {
        x: { field: "group", type: "nominal" },
        xOffset: { field: "series" },
        y: { field: "p50", type: "quantitative", scale: { type: "log", domain: [0.1, 10] } },
        y2: { datum: 0.1 },
        color: colour,
      },
    },
    {
      data: { values },
      mark: { type: "rule", color: "#222" },
      encoding: {
        x: { field: "group", type: "nominal" },
        y: { field: "p50", type: "quantitative" },
        y2: { field: "p99" },
        color: colour,
      },
    },
  ],
};
const time = {
  layer: [
    { data: { values }, mark: "line", encoding: { x: quantity("seconds"), y: quantity("p50") } },
    {
      data: { values },
      mark: { type: "point", opacity: 1 },
      encoding: { x: quantity("seconds"), y: quantity("p99"), color: colour },
    },
  ],
};
const shapes: Readonly<Record<string, object>> = {
  "one mark": { data: { values }, mark: "bar", encoding: { x: quantity("p50"), color: colour } },
  "bars in layers": bars,
  "panels side by side": { hconcat: [bars, bars] },
  "panels over time above each other, twice": {
    hconcat: [{ vconcat: [time, time] }, { vconcat: [time, time] }],
    resolve: { scale: { color: "independent" } },
  },
  facets: {
    data: { values },
    facet: { field: "group", type: "nominal" },
    spec: { mark: "point", encoding: { x: quantity("p50"), y: quantity("p99"), color: colour } },
  },
};

function quantity(field: string): object {
  return { field, type: "quantitative" };
}

function specOf(shape: object): TopLevelSpec {
  return { config: sharedConfig, title: "a title", ...shape } as unknown as TopLevelSpec;
}

/** Draws, and tells what was warned of. */
async function draw(spec: TopLevelSpec): Promise<{ svg: string; warnings: unknown[]; view: View }> {
  const warnings: unknown[] = [];
  const listener: LoggerInterface = {
    level: () => listener,
    error: (...words) => noted(words),
    warn: (...words) => noted(words),
    info: () => listener,
    debug: () => listener,
  };
  const noted = (words: readonly unknown[]): LoggerInterface => {
    // Without a screen there is no window to listen to.
    warnings.push(...words.filter((word) => !String(word).endsWith("event source: window")));
    return listener;
  };
  const compiled = compile(spec, { logger: listener }).spec;
  const view = new View(parse(compiled, undefined, { ast: true }), {
    expr: expressionInterpreter,
    logger: listener,
    renderer: "none",
  });
  const svg = await view.toSVG();
  return { svg, warnings, view };
}

describe.each(["light", "dark"] as const)("interactive, %s", (theme: Theme) => {
  it.each(Object.entries(shapes))("draws %s without a warning", async (_name, shape) => {
    const spec = specOf(shape);
    const before = JSON.stringify(spec);
    const { svg, warnings, view } = await draw(interactive(spec, theme));
    view.finalize();
    expect(warnings).toEqual([]);
    expect(svg).toContain("a title");
    // The published spec is what is downloaded: it must not be touched.
    expect(JSON.stringify(spec)).toBe(before);
  });
});

describe("interactive", () => {
  it("fades the series that were not picked in the legend", async () => {
    const { view } = await draw(interactive(specOf(bars), "light"));
    await view.runAsync();
    const opacities = (): string[] => {
      return [...new Set(sceneOf(view).match(/"opacity":[\d.]+/g))];
    };
    expect(opacities()).not.toContain('"opacity":0.12');
    view.signal("pick_series_series_legend", "aft");
    await view.runAsync();
    expect(opacities()).toContain('"opacity":0.12');
    view.finalize();
  });

  it("shows the row of a mark at the pointer", () => {
    const text = JSON.stringify(interactive(specOf(bars), "light"));
    expect(text.match(/"tooltip":\{"content":"data"\}/g)).toHaveLength(2);
  });

  it("makes what is drawn in near-black light on a dark page, and leaves colours with a meaning", () => {
    const dark = JSON.stringify(interactive(specOf(bars), "dark"));
    expect(dark).not.toContain('"color":"#222"');
    expect(dark).toContain('"range":["#e6e7e9","#999999"]');
    const light = JSON.stringify(interactive(specOf(bars), "light"));
    expect(light).toContain('"color":"#222"');
    expect(light).toContain('"range":["#000","#999999"]');
  });
});

function sceneOf(view: View): string {
  return (view.scenegraph() as unknown as { toJSON: () => string }).toJSON();
}
