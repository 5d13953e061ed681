/**
 * @module The report as one static page: nothing is fetched, everything is inline, and it reads without
 * JavaScript too. Pure: the same record gives the same bytes.
 *
 *   P1  Texts of records are escaped wherever they stand (`markup`), and the content policy lets
 *       only the one script and the one style sheet run that this project made.
 *   P2  Each number of a run is a <data> element with the field of summary.json it shows, in a row that
 *       links the run's directory.
 *   P3  A figure is there as a still picture; the script draws a live one over it.
 */
import { createHash } from "node:crypto";
import type { RunManifest, SuiteResult } from "#harness/record/run.ts";
import { alternativesSection } from "./alternatives-section.ts";
import type { PageBundle } from "./bundle.ts";
import { claimsSection } from "./claims-section.ts";
import { type PageFigure, figuresSection, notDrawnSection } from "./figures-section.ts";
import { header, machineSection } from "./header.ts";
import { type Html, joined, markup, nothing, trusted } from "./markup.ts";
import {
  comparisonsSection,
  notRunSection,
  runsSection,
  witnessesSection,
} from "./runs-section.ts";
import { style } from "./style.ts";

export interface PageInput {
  readonly suite: SuiteResult;
  readonly figures: readonly PageFigure[];
  /** Pictures that invalid runs would be in. */
  readonly notDrawn: readonly { readonly title: string; readonly reasons: readonly string[] }[];
  /** Show the numbers of invalid runs, stamped. */
  readonly keepInvalid: boolean;
  /** Link from the page to a run's directory. */
  readonly linkTo: (directory: string) => string;
  /** By run id; a run whose directory is elsewhere has none. */
  readonly manifests: ReadonlyMap<string, RunManifest>;
  readonly bundle: PageBundle;
}

/** A part of the page; one without content is left out, of the contents too. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

export function renderPage(input: PageInput): string {
  const { suite, bundle } = input;
  const sections = [
    claimsSection(input),
    alternativesSection(input),
    figuresSection(input),
    notDrawnSection(input),
    runsSection(input),
    comparisonsSection(input),
    notRunSection(input),
    witnessesSection(input),
    machineSection(input),
  ].filter(({ content }) => content !== nothing);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyFor(bundle.script)}">
<meta name="referrer" content="no-referrer">
<title>aft-bench: ${suite.suite}</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
${header(input)}
<nav aria-label="Contents"><ul>${joined(sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`))}</ul></nav>
<main id="main" tabindex="-1">
${joined(sections.map(({ id, title, content }) => markup`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`))}
</main>
<footer><details><summary>Software inside this page, and its licences</summary><pre>${bundle.notices}</pre></details></footer>
<script>${trusted(bundle.script)}</script>
</body>
</html>
`;
  return page.html;
}

/** Nothing may be fetched, and nothing may run but these very bytes. Pictures are made from data URLs. */
function policyFor(script: string): string {
  const hash = (text: string): string =>
    `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
