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
const levelsSchema = z.looseObject({
  ...common,
  values: z.array(
    z.object({
      storage: z.string(),
      system: z.string(),
      level: z.number(),
      p50: z.number(),
      p99: z.number(),
    }),
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
const scalingSchema = z.looseObject({
  ...common,
  values: z.array(
    z.object({
      storage: z.string(),
      clients: z.number(),
      replicas: z.number().optional(),
      throughput: z.number(),
    }),
  ),
});
const range = z.tuple([z.number(), z.number()]);
const fig9Schema = z.looseObject({
  ...common,
  values: z.array(
    z.object({
      storage: z.string(),
      collection: z.boolean(),
      throughput: range,
      deletions: range.optional(),
    }),
  ),
});
const fig10Schema = z.looseObject({
  ...common,
  detectionSeconds: z.number(),
  replacementSeconds: z.number(),
  values: z.array(z.object({ atSeconds: z.number(), throughput: z.number(), what: z.string() })),
});

export type Fig2 = z.infer<typeof fig2Schema>;
export type Fig3 = z.infer<typeof fig3Schema>;
export type Table2 = z.infer<typeof table2Schema>;

export interface PaperNumbers {
  readonly fig2: Fig2;
  readonly fig3: Fig3;
  readonly table2: Table2;
  readonly fig4: z.infer<typeof levelsSchema>;
  readonly fig5: z.infer<typeof levelsSchema>;
  readonly fig6: z.infer<typeof levelsSchema>;
  readonly fig7: z.infer<typeof scalingSchema>;
  readonly fig8: z.infer<typeof scalingSchema>;
  readonly fig9: z.infer<typeof fig9Schema>;
  readonly fig10: z.infer<typeof fig10Schema>;
}

const claimsSchema = z.object({
  source: z.string(),
  note: z.string(),
  claims: z.array(
    z.strictObject({
      id: z.string(),
      section: z.string(),
      /** Empty for what the text alone says. */
      figure: z.string(),
      /** In our words; the numbers are the paper's. */
      statement: z.string(),
      /** Whose runs can tell, the most telling one first. */
      experiments: z.array(z.string()).min(1),
      origin: z.enum(["paper", "thesis"]),
    }),
  ),
});

export type PaperClaim = z.infer<typeof claimsSchema>["claims"][number];

/** Everything the evaluation claims, in its order. */
export function loadClaims(): readonly PaperClaim[] {
  return claimsSchema.parse(read("claims")).claims;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8"));
}

/** Reads and checks the files beside this module. */
export function loadPaper(): PaperNumbers {
  return {
    fig2: fig2Schema.parse(read("fig2")),
    fig3: fig3Schema.parse(read("fig3")),
    fig4: levelsSchema.parse(read("fig4")),
    fig5: levelsSchema.parse(read("fig5")),
    fig6: levelsSchema.parse(read("fig6")),
    table2: table2Schema.parse(read("table2")),
    fig7: scalingSchema.parse(read("fig7")),
    fig8: scalingSchema.parse(read("fig8")),
    fig9: fig9Schema.parse(read("fig9")),
    fig10: fig10Schema.parse(read("fig10")),
  };
}
