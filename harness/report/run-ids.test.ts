/**
 * Goal    Every file of a picture names the runs it shows, and stays a picture.
 * Method  A picture drawn for real; a decoder that checks lengths and checksums of PNG chunks.
 */
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadPaper } from "#results/load.ts";
import type { FigureDefinition } from "./figures/figure.ts";
import { renderFigure } from "./render.ts";
import { describePng, describeSvg, runIdsOf, runsBehind, withRunIds } from "./run-ids.ts";
import { sampleSuite } from "./testing/sample.ts";

const paper = loadPaper();
const suite = sampleSuite();
const [run] = suite.runs;
if (run === undefined) throw new Error("the sample has a run");
const two = { ...suite, runs: [run, { ...run, runId: "other" }, { ...run, runId: "third" }] };

function figureOf(
  rowsOf: (ids: readonly string[]) => Record<string, string | number>[],
): FigureDefinition {
  const build: FigureDefinition["build"] = (input) => ({
    kind: "figure",
    spec: { data: { values: [] }, mark: "bar" },
    rows: rowsOf(input.suite.runs.map(({ runId }) => runId)),
  });
  return { id: "x", title: "x", build };
}

function idsOf(figure: FigureDefinition): readonly string[] {
  const built = figure.build({ suite: two, paper });
  if (built.kind === "missing") throw new Error("it builds");
  return runIdsOf(built, figure, { suite: two, paper });
}

describe("run ids of a picture", () => {
  it("are those its rows name", () => {
    expect(idsOf(figureOf((ids) => ids.slice(1).map((runId) => ({ runId }))))).toEqual([
      "other",
      "third",
    ]);
  });

  it("are found by leaving runs out, where rows name none", () => {
    const figure = figureOf((ids) => [{ ratio: ids.includes("other") ? 1 : 2 }]);
    expect(idsOf(figure)).toEqual(["other"]);
    expect(runsBehind(figure, { suite: two, paper }, [])).toEqual([]);
  });

  it("stand in spec, SVG and PNG, and the PNG is whole", async () => {
    const ids = ["20261125T190336399-direct-memory-825j", 'a<b&"c'];
    const { svg, png } = await renderFigure(
      { data: { values: [{ a: 1 }] }, mark: "bar" },
      (drawn) => describeSvg(drawn, ids),
    );
    expect(svg).toContain(`<desc>runs: ${ids[0]} a&lt;b&amp;"c</desc>`);
    expect(withRunIds({ data: { values: [] }, mark: "bar" }, ids).usermeta).toEqual({
      runIds: ids,
    });
    const chunks = chunksOf(describePng(png, ids));
    expect(chunks.map(({ type }) => type).slice(0, 2)).toEqual(["IHDR", "tEXt"]);
    expect(chunks.at(-1)?.type).toBe("IEND");
    expect(chunks[1]?.text).toBe(`run ids\0${ids.join(" ")}`);
  });
});

function chunksOf(png: Uint8Array): { type: string; text: string }[] {
  const view = Buffer.from(png);
  const chunks = [];
  let at = 8;
  while (at < view.length) {
    const length = view.readUInt32BE(at);
    const content = view.subarray(at + 4, at + 8 + length);
    expect(view.readUInt32BE(at + 8 + length)).toBe(crc32(content));
    chunks.push({
      type: content.toString("latin1", 0, 4),
      text: content.toString("latin1", 4),
    });
    at += 12 + length;
  }
  return chunks;
}
