/**
 * Goal    Nothing that a record says is ever HTML.
 * Method  A property over random texts, read back by a small parser; and the data block.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFor, joined, markup, nothing, table } from "./markup.ts";

function unescaped(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

describe("markup", () => {
  it("escapes whatever stands in a template, as text and as attribute", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "&", ";", "$&", "\u2028") }),
        (text) => {
          const { html } = markup`<a title="${text}">${text}</a>`;
          const inner = /^<a title="([^"<>]*)">([^<>]*)<\/a>$/.exec(html);
          expect(unescaped(inner?.[1] ?? "?")).toBe(text);
          expect(unescaped(inner?.[2] ?? "?")).toBe(text);
        },
      ),
    );
  });

  it("keeps what is markup already, and joins it", () => {
    const parts = [markup`<b>${"<"}</b>`, markup`${1}`];
    expect(markup`<p>${parts}</p>`.html).toBe("<p><b>&lt;</b>\n1</p>");
    expect(joined(parts, "").html).toBe("<b>&lt;</b>1");
  });

  it("says nothing for a table without rows", () => {
    expect(table({ label: "", rows: [], columns: [] })).toBe(nothing);
  });
});

describe("jsonFor", () => {
  it("gives JSON that reads back and cannot end its element", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { html } = jsonFor({ value, end: "</script><!--" });
        expect(html).not.toContain("<");
        // As JSON has it: -0 is 0 there.
        expect(JSON.parse(html)).toEqual(
          JSON.parse(JSON.stringify({ value, end: "</script><!--" })),
        );
      }),
    );
  });
});
