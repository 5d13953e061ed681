/** @module The paper's numbers, each with where it is from and how sure we are. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const common = {
  figure: z.string(),
  section: z.string(),
  /** Null where it could not be verified; the section can. */
  page: z.number().nullable(),
  source: z.string(),
  certainty: z.string(),
  unit: z.string(),
};
const fig2Schema = z.looseObject({
  ...common,
  values: z.array(
    z.object({
      system: z.string(),
      batch: z.string(),
      writes: z.number(),
      p50: z.number(),
      p99: z.number(),
    }),
  ),
});
const fig3Schema = z.looseObject({
  ...common,
  values: z.array(
    z.object({ storage: z.string(), system: z.string(), p50: z.number(), p99: z.number() }),
  ),
});
const table2Schema = z.looseObject({
  ...common,
  values: z.array(
    z.object({
      storage: z.string(),
      system: z.string(),
      readYourWrites: z.number(),
      fractured: z.number(),
    }),
  ),
});

export type Fig2 = z.infer<typeof fig2Schema>;
export type Fig3 = z.infer<typeof fig3Schema>;
export type Table2 = z.infer<typeof table2Schema>;

export interface PaperNumbers {
  readonly fig2: Fig2;
  readonly fig3: Fig3;
  readonly table2: Table2;
}

/** Reads and checks the files beside this module. */
export function loadPaper(): PaperNumbers {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8"));
  return {
    fig2: fig2Schema.parse(read("fig2")),
    fig3: fig3Schema.parse(read("fig3")),
    table2: table2Schema.parse(read("table2")),
  };
}
