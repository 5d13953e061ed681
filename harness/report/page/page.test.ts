/**
 * Goal    The page is a function of the record: numbers with their fields, runs with their links, and
 *         nothing of a hostile record that a browser would obey.
 * Method  The committed record, as it is and with every text replaced; the real bundle once.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SuiteResult } from "#harness/record/run.ts";
import { sampleManifest, sampleSuite } from "../testing/sample.ts";
import { bundlePage } from "./bundle.ts";
import { type PageInput, renderPage } from "./page.ts";

const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)><!--`;

function pageOf(change: Partial<PageInput> = {}): string {
  const suite = change.suite ?? sampleSuite();
  const manifest = sampleManifest();
  return renderPage({
    suite,
    figures: [
      {
        id: "anomalies",
        title: "A figure",
        svg: '<svg width="10" height="10"><defs><clipPath id="c"></clipPath></defs><g clip-path="url(#c)"></g></svg>',
        spec: { data: { values: [] }, mark: "bar" },
        csv: "a,runId\n",
        rows: [{ a: 1, runId: manifest.runId }],
        runIds: [manifest.runId],
        reasons: [],
      },
    ],
    notDrawn: [],
    keepInvalid: false,
    linkTo: (directory) => `./${encodeURIComponent(directory)}/`,
    manifests: new Map([[manifest.runId, manifest]]),
    bundle: { script: "void 0;", notices: "a licence" },
    ...change,
  });
}

describe("renderPage", () => {
  it("gives the same bytes for the same record", () => {
    expect(pageOf()).toBe(pageOf());
  });

  it("shows numbers with the field of summary.json they come from, in a row that links the run", () => {
    const [run] = sampleSuite().runs;
    const page = pageOf();
    expect(page).toContain(
      `<data value="${run?.responseTimeUs.p50 as number}" data-field="responseTimeUs.p50">3.68 ms</data>`,
    );
    expect(page).toContain(`<tr id="run-${run?.runId}" data-run="${run?.runId}">`);
    // Not enough requests for a p99: said, never a number.
    expect(page).toContain("n/a (need 459, have 50)");
    expect(page).not.toContain('data-field="responseTimeUs.p99"');
  });

  it("lets nothing run or be fetched but its own script and style", () => {
    const page = pageOf();
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? "";
    const hash = (text: string): string =>
      `&#39;sha256-${createHash("sha256").update(text).digest("base64")}&#39;`;
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    expect(policy).toContain("default-src &#39;none&#39;");
    expect(policy).toContain(`script-src ${hash("void 0;")};`);
    expect(policy).toContain(`style-src ${hash(style)};`);
    expect(policy).not.toContain("unsafe");
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page).not.toMatch(/ style="| on\w+="/);
  });

  it("keeps the names inside pictures apart", () => {
    const page = pageOf();
    expect(page).toContain('id="anomalies-c"');
    expect(page).toContain('clip-path="url(#anomalies-c)"');
  });

  it("says that numbers of an invalid run are not shown, and stamps them if they are", () => {
    const suite = sampleSuite();
    const runs = suite.runs.map((run) => ({ ...run, valid: false, invalidReasons: ["stalled"] }));
    const hidden = pageOf({ suite: { ...suite, runs } });
    expect(hidden).toContain("INVALID: stalled");
    expect(hidden).toContain("0 of 1 runs valid");
    expect(hidden).not.toContain('data-field="responseTimeUs.p50"');
    const kept = pageOf({ suite: { ...suite, runs }, keepInvalid: true });
    expect(kept).toContain("INVALID: stalled");
    expect(kept).toContain('data-field="responseTimeUs.p50"');
  });

  it("shows a hostile record as text, wherever it stands", () => {
    const suite = hostile(sampleSuite()) as SuiteResult;
    const manifest = hostile(sampleManifest()) as ReturnType<typeof sampleManifest>;
    const page = pageOf({
      suite: {
        ...suite,
        claims: [
          { id: evil, text: evil, verdict: "reproduced", ours: evil, paper: evil, source: evil },
        ],
        notRun: [{ what: evil, why: evil, get: evil }],
        comparisons: [
          { name: evil, ratio: { median: 1, low: 1, high: 1 }, blocks: 6, runIds: [evil] },
        ],
      },
      figures: [
        {
          id: "overhead",
          title: evil,
          svg: '<svg width="1" height="1"></svg>',
          spec: { title: evil, data: { values: [{ a: evil }] }, mark: "bar" },
          csv: evil,
          rows: [{ [evil]: evil, runId: evil }],
          runIds: [evil],
          reasons: [evil],
        },
      ],
      notDrawn: [{ title: evil, reasons: [evil] }],
      manifests: new Map([[manifest.runId, manifest]]),
    });
    // Each place escapes it; nothing of it is an element.
    expect(page.split("&lt;img src=x").length).toBeGreaterThan(40);
    expect(page).not.toContain("<img");
    expect(page).not.toContain("<script>alert");
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<!--/g)).toBeNull();
  });
});

/** Every text replaced, those apart that decide by their value. */
function hostile(value: unknown, key = ""): unknown {
  const kept = ["labels", "promises", "violated", "verdicts", "state", "mode", "directory"];
  if (kept.includes(key)) return value;
  if (typeof value === "string") return evil;
  if (Array.isArray(value)) return value.map((element) => hostile(element));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, hostile(inner, name)]),
  );
}

describe("bundlePage", () => {
  it("gives the same bytes twice, stays lean, and names the licences of what is in it", async () => {
    const [first, second] = [await bundlePage(), await bundlePage()];
    expect(first).toEqual(second);
    expect(first.script.length).toBeLessThan(1_300_000);
    for (const name of ["vega 6", "vega-lite 6", "vega-embed 7", "vega-interpreter 2"])
      expect(first.notices).toContain(name);
    expect(first.notices).toContain("Redistribution and use in source and binary forms");
  });
});
