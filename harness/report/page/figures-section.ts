/**
 * @module Figures of the page: the still picture, what the script needs to draw a live one, the data as a
 * table with a link to the run behind each row, and the files.
 */
import type { TopLevelSpec } from "vega-lite";
import { stampText } from "../validity.ts";
import {
  escapeHtml,
  type Html,
  joined,
  jsonFor,
  markup,
  nothing,
  table,
  trusted,
} from "./markup.ts";
import type { PageInput, Section } from "./page.ts";
import { runLinks } from "./runs-section.ts";

export interface PageFigure {
  readonly id: string;
  readonly title: string;
  readonly svg: string;
  readonly spec: TopLevelSpec;
  readonly csv: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly runIds: readonly string[];
  /** Why it is not valid and shown all the same. */
  readonly reasons: readonly string[];
}

/** Rows in the page; the CSV has all. */
const mostRows = 150;

export function figuresSection(input: PageInput): Section {
  const { figures } = input;
  const hint = markup`<p class="soft" data-for-script hidden>Point at a mark for its numbers; click it for its run; click a legend entry to see only that series. Drawings over time: drag to move, Shift and wheel to zoom, double click to go back.</p>`;
  const content = figures.length === 0 ? nothing : joined([hint, ...figures.map(figureOf)]);
  return { id: "figures", title: "Figures", content };
}

function figureOf(figure: PageFigure): Html {
  const { id, title, svg, spec, csv, runIds, reasons } = figure;
  const stamp = reasons.length === 0 ? nothing : markup`<p class="bad">${stampText(reasons)}</p>`;
  return markup`<article id="figure-${id}" class="figure"><h3 id="figure-${id}-title">${title}</h3>${stamp}
<figure><div class="picture${reasons.length === 0 ? "" : " stamped"}" tabindex="0" role="group" aria-labelledby="figure-${id}-title" data-figure="${id}"><div class="still">${stillPicture(id, title, svg)}</div><div class="live"></div></div>
<figcaption>${filesOf(id)}${runsOf(runIds)}</figcaption></figure>
${dataTable(figure)}
<script type="application/json" id="data-${id}">${jsonFor({ title, spec, csv })}</script></article>`;
}

/** More than a line of them is folded away. */
function runsOf(runIds: readonly string[]): Html {
  if (runIds.length === 0) return markup`Runs: none`;
  if (runIds.length <= 8) return markup`Runs: ${runLinks(runIds)}`;
  return markup`<details><summary>Runs (${runIds.length})</summary>${runLinks(runIds)}</details>`;
}

/** As links they work without the script, as long as the files are beside the page; it makes them buttons. */
function filesOf(id: string): Html {
  const links = [
    ["png", "PNG"],
    ["svg", "SVG"],
    ["csv", "CSV"],
    ["vl.json", "spec"],
  ].map(
    ([extension, name]) =>
      markup`<a href="${id}.${extension}" download data-save="${extension}">${name}</a>`,
  );
  return markup`<div class="tools" role="group" aria-label="Files of this figure">${links}</div>`;
}

function dataTable({ title, rows, csv }: PageFigure): Html {
  const [first] = rows;
  if (first === undefined || csv === "") return nothing;
  const fields = Object.keys(first).filter((field) => field !== "runId");
  const more =
    rows.length > mostRows
      ? markup`<p class="soft">The first ${mostRows} of ${rows.length} rows; the CSV has all.</p>`
      : nothing;
  const content = table({
    label: `Data of: ${title}`,
    rows: rows.slice(0, mostRows),
    columns: [
      ...fields.map((field) => ({
        title: field,
        kind: typeof first[field] === "number" ? ("number" as const) : ("text" as const),
        cell: (row: (typeof rows)[number]) => String(row[field] ?? ""),
      })),
      {
        title: "run",
        kind: "text" as const,
        cell: ({ runId }) => (runId === undefined ? "several" : runLinks([String(runId)])),
      },
    ],
  });
  return markup`<details><summary>Data (${rows.length} rows)</summary>${more}${content}</details>`;
}

/**
 * The picture inside the page. All pictures share the page's ids, so theirs get the figure's name in
 * front; otherwise one would be clipped by another's path.
 */
export function stillPicture(id: string, title: string, svg: string): Html {
  const named = svg
    .replaceAll(/\bid="([^"]+)"/g, `id="${id}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${id}-$1)`)
    .replaceAll(/href="#([^"]+)"/g, `href="#${id}-$1"`);
  const start = `<svg role="img" aria-label="${escapeHtml(title)}" `;
  // A function, because a title with a dollar sign would be taken for a pattern.
  return trusted(named.replace(/^[\s\S]*?<svg /, () => start));
}

export function notDrawnSection({ notDrawn }: PageInput): Section {
  const content = table({
    label: "Not drawn",
    rows: notDrawn,
    columns: [
      { title: "picture", kind: "wide", cell: ({ title }) => title },
      { title: "why", kind: "wide", cell: ({ reasons }) => stampText(reasons) },
    ],
  });
  return { id: "not-drawn", title: "Not drawn", content };
}
