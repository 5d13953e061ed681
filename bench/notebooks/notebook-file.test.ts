import { describe, expect, it } from "vitest";
import {
  firstDifference,
  normalised,
  type Notebook,
  NotebookFormatError,
  notebookText,
  parseNotebook,
  silentCells,
} from "./notebook-file.ts";

function withOutput(value: string, extra: Readonly<Record<string, unknown>> = {}): Notebook {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { language_info: { version: "6.0.2" } },
    cells: [
      {
        cell_type: "code",
        id: "a",
        source: ["f(\n", "x)"],
        metadata: { execution: { "iopub.status.busy": "2026-01-01T00:00:00Z" } },
        execution_count: 7,
        outputs: [
          {
            output_type: "execute_result",
            execution_count: 7,
            metadata: {},
            data: { "text/plain": [value, "\nend"], "image/png": "AAAA\n" },
          },
        ],
        ...extra,
      },
    ],
  };
}

describe("a notebook's file", () => {
  it("keeps sources and outputs, and no times, counters or versions", () => {
    const text = notebookText(normalised(withOutput("5 ms")));
    expect(text).toContain("5 ms\\nend");
    expect(text).toContain('"AAAA"');
    expect(text).not.toMatch(/iopub|6\.0\.2|"execution_count": 7/);
    expect(normalised(parseNotebook(text, "x"))).toEqual(normalised(withOutput("5 ms")));
  });

  it("tells a changed output, with its cell", () => {
    const [before, after] = [normalised(withOutput("5 ms")), normalised(withOutput("6 ms"))];
    expect(firstDifference(before, before)).toBeUndefined();
    expect(firstDifference(before, after)).toMatch(/cell 1 differs.*5 ms.*6 ms/);
    expect(firstDifference(before, { ...after, cells: [] })).toMatch(/1 cells were kept, 0/);
  });

  it("tells cells whose output was lost", () => {
    expect(silentCells(withOutput("5 ms"))).toEqual([]);
    expect(silentCells(withOutput("5 ms", { outputs: [] }))).toEqual([1]);
  });

  it("is refused if it is no notebook", () => {
    expect(() => parseNotebook("{}", "x.ipynb")).toThrow(NotebookFormatError);
    expect(() => parseNotebook("not json", "x.ipynb")).toThrow(/x\.ipynb is no notebook/);
  });
});
