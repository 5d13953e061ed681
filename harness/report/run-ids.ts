/**
 * @module Which runs a picture shows, and how each of its files says so: `usermeta.runIds` in the spec, a
 * description in the SVG, a text in the PNG, a column in the CSV where a row is one run's. Pure.
 */
import { crc32 } from "node:zlib";
import type { TopLevelSpec } from "vega-lite";
import type { SuiteResult } from "#harness/record/run.ts";
import type { BuiltFigure, FigureDefinition, FigureInput } from "./figures/figure.ts";

type Run = SuiteResult["runs"][number];
type Drawn = Extract<BuiltFigure, { kind: "figure" }>;

/** Runs without which the picture would be another, in the order of the suite; `among`: those to ask about. */
export function runsBehind(
  figure: FigureDefinition,
  input: FigureInput,
  among: readonly Run[] = input.suite.runs,
): readonly Run[] {
  const { suite } = input;
  const rowsOf = (runs: readonly Run[]): string => {
    const built = figure.build({ ...input, suite: { ...suite, runs } });
    return built.kind === "missing" ? "" : JSON.stringify(built.rows);
  };
  const all = rowsOf(suite.runs);
  return among.filter((run) => rowsOf(suite.runs.filter((other) => other !== run)) !== all);
}

/** Rows that name their runs need not be asked run by run. */
export function runIdsOf(
  { rows }: Drawn,
  figure: FigureDefinition,
  input: FigureInput,
): readonly string[] {
  const named = new Set(rows.map(({ runId }) => runId));
  const known = input.suite.runs.filter(({ runId }) => named.has(runId));
  const isComplete = rows.every(({ runId }) => runId !== undefined);
  const runs = isComplete && known.length === named.size ? known : runsBehind(figure, input);
  return runs.map(({ runId }) => runId);
}

export function withRunIds(spec: TopLevelSpec, runIds: readonly string[]): TopLevelSpec {
  return { ...spec, usermeta: { ...spec.usermeta, runIds: [...runIds] } };
}

export function describeSvg(svg: string, runIds: readonly string[]): string {
  return svg.replace(
    /<svg[^>]*>/,
    (start) => `${start}<desc>runs: ${escapeXml(runIds.join(" "))}</desc>`,
  );
}

/** A `tEXt` chunk right behind the header (PNG specification, 11.3.4.3). */
export function describePng(png: Uint8Array, runIds: readonly string[]): Uint8Array {
  const headerEnd = 33;
  const content = Buffer.from(`tEXtrun ids\0${runIds.join(" ")}`, "latin1");
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return Buffer.concat([png.subarray(0, headerEnd), chunk, png.subarray(headerEnd)]);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
