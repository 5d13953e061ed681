/** @module Notebooks as files: reading them, and what of an execution is worth keeping. Pure. */
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";

/** A file is no notebook of the form that Jupyter writes today. */
export class NotebookFormatError extends ProjectError {
  readonly code = "notebook_format";
  readonly disposition = "abort";
}

const text = z.union([z.string(), z.array(z.string())]);
const output = z.looseObject({ output_type: z.string() });
const cell = z.looseObject({
  cell_type: z.enum(["code", "markdown", "raw"]),
  id: z.string().optional(),
  source: text,
  outputs: z.array(output).optional(),
});
const notebook = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number(),
  metadata: z.record(z.string(), z.unknown()),
  cells: z.array(cell),
});
export type Notebook = z.infer<typeof notebook>;

/** @throws NotebookFormatError */
export function parseNotebook(content: string, name: string): Notebook {
  try {
    return notebook.parse(JSON.parse(content));
  } catch (cause) {
    throw new NotebookFormatError(`${name} is no notebook of nbformat 4`, { cause });
  }
}

/**
 * What depends on the record alone: sources and outputs. Times, counters of executions and what a kernel says of its own
 * version are left out, so that equal records give equal files.
 */
export function normalised({ cells, nbformat, nbformat_minor }: Notebook): Notebook {
  return {
    cells: cells.map((one, index) => ({
      cell_type: one.cell_type,
      id: one.id ?? `cell-${index}`,
      metadata: {},
      source: joined(one.source),
      ...(one.cell_type === "code" && {
        execution_count: null,
        outputs: (one.outputs ?? []).map(normalisedOutput),
      }),
    })),
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
    },
    nbformat,
    nbformat_minor,
  };
}

/** Numbers of the code cells that showed nothing: each of ours shows something, so an output was lost. */
export function silentCells({ cells }: Notebook): number[] {
  return cells.flatMap(({ cell_type, outputs = [] }, index) =>
    cell_type === "code" && outputs.length === 0 ? [index + 1] : [],
  );
}

/** As a file: stable, one line a property, for diffs. */
export function notebookText(content: Notebook): string {
  return `${JSON.stringify(sorted(content), undefined, 1)}\n`;
}

/** The first output that differs, as a sentence; undefined: none does. */
export function firstDifference(kept: Notebook, now: Notebook): string | undefined {
  if (kept.cells.length !== now.cells.length)
    return `${kept.cells.length} cells were kept, ${now.cells.length} were executed`;
  for (const [index, before] of kept.cells.entries()) {
    const after = now.cells[index];
    const [a, b] = [before, after].map((one) => JSON.stringify(sorted(one?.outputs ?? [])));
    if (a === b || a === undefined || b === undefined) continue;
    let at = 0;
    while (at < a.length && a[at] === b[at]) at += 1;
    const around = (whole: string): string => whole.slice(Math.max(0, at - 40), at + 80);
    return `cell ${index + 1} differs: kept …${around(a)}…, now …${around(b)}…`;
  }
  return undefined;
}

function normalisedOutput(one: z.infer<typeof output>): z.infer<typeof output> {
  const { data, ...rest } = one;
  const plain = "execution_count" in rest ? { ...rest, execution_count: null } : rest;
  if (data === undefined || data === null) return { ...plain, ...joinedText(plain) };
  const bundle = Object.entries(data as Record<string, unknown>).map(([type, value]) => [
    type,
    type.endsWith("json") ? value : joined(value as z.infer<typeof text>),
  ]);
  return { ...plain, metadata: {}, data: Object.fromEntries(bundle) as Record<string, unknown> };
}

function joinedText(plain: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return "text" in plain ? { text: joined(plain["text"] as z.infer<typeof text>) } : {};
}

/** Jupyter writes texts as arrays of lines or as one string. */
function joined(value: z.infer<typeof text>): string {
  const whole = Array.isArray(value) ? value.join("") : value;
  return typeof whole === "string" ? whole.replace(/\n$/, "") : String(whole);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
