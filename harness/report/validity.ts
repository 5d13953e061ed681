/**
 * @module What of a suite must not be shown, because the runs behind it are not valid (MEASURING rule
 * 6); and the stamp on what is shown all the same. Pure.
 */
import type { RunSummary } from "#harness/record/run.ts";
import type { FigureDefinition, FigureInput } from "./figures/figure.ts";
import { runsBehind } from "./run-ids.ts";

/** Reasons why a picture is not valid: those of every invalid run whose marks are in it. */
export function reasonsBehind(figure: FigureDefinition, input: FigureInput): string[] {
  const invalid = input.suite.runs.filter(({ valid }) => !valid);
  return distinctReasons(runsBehind(figure, input, invalid));
}

export function distinctReasons(runs: readonly RunSummary[]): string[] {
  return [...new Set(runs.flatMap(({ invalidReasons }) => invalidReasons))];
}

/** One line for a table or a cell. */
export function stampText(reasons: readonly string[]): string {
  return `INVALID: ${reasons.join("; ")}`;
}

/** Most characters of a reason that fit under a narrow picture. */
const longestLine = 110;

/** The picture with INVALID across it and the reasons at its foot. */
export function stampSvg(svg: string, reasons: readonly string[]): string {
  const width = Number(/<svg[^>]*\swidth="([\d.]+)"/.exec(svg)?.[1] ?? 600);
  const height = Number(/<svg[^>]*\sheight="([\d.]+)"/.exec(svg)?.[1] ?? 400);
  const size = Math.min(width / 5, height / 2);
  const lines = reasons.map((reason) => stampText([reason]).slice(0, longestLine));
  const foot = lines.map(
    (line, index) =>
      `<text x="6" y="${height - 6 - 14 * (lines.length - 1 - index)}" font-size="11" font-weight="bold" fill="#b00020">${escapeXml(line)}</text>`,
  );
  const stamp =
    `<g font-family="DejaVu Sans"><text x="${width / 2}" y="${height / 2}" font-size="${size}" font-weight="bold" ` +
    `fill="#b00020" fill-opacity="0.3" text-anchor="middle" dominant-baseline="middle" ` +
    `transform="rotate(-15 ${width / 2} ${height / 2})">INVALID</text>${foot.join("")}</g>`;
  return svg.replace(/<\/svg>\s*$/, `${stamp}</svg>`);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
