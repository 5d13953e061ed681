/** @module Effects that others saw in part or twice, by how often functions fail. */
import type { EffectCount } from "#harness/record/effects.ts";
import type { RunSummary } from "#harness/record/run.ts";
import { type FigureDefinition, sharedConfig, subtitle, systemColours } from "./figure.ts";

interface EffectRow {
  readonly [field: string]: string | number;
  readonly platform: string;
  readonly retriedBy: string;
  readonly system: string;
  readonly effect: string;
  readonly failurePercent: number;
  readonly per10k: number;
  readonly count: number;
  readonly requests: number;
  readonly upperPer10k: number;
  readonly runId: string;
}

export const retriesFigure: FigureDefinition = {
  id: "retries",
  title: "Requests tried again after a failure: effects that others saw in part or twice",
  build: ({ suite }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "retries");
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.flatMap(rowsOf);
    const places = new Map(rows.map((row) => [placeOf(row), row]));
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: retriesFigure.title,
        subtitle: [
          ...subtitle(suite, "retries"),
          "number: requests counted from recorded reads (a lower bound); dashed: 95 % upper bound where none was seen",
        ],
      },
      config: sharedConfig,
      spacing: 24,
      vconcat: [...places].map(([place, { platform, retriedBy }]) => ({
        spacing: 24,
        hconcat: ["torn", "repeated"].map((effect) =>
          panel(
            `${effect}: on ${platform}, the ${retriedBy} tries again`,
            rows.filter((row) => placeOf(row) === place && row.effect === effect),
          ),
        ),
      })),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function placeOf({ platform, retriedBy }: EffectRow): string {
  return `${platform} ${retriedBy}`;
}

function rowsOf(run: RunSummary): EffectRow[] {
  const { effects, cell, runId } = run;
  if (effects === undefined) return [];
  const { requests } = effects;
  const row = (effect: string, found: EffectCount): EffectRow => ({
    platform: cell.platform,
    // Older records have the driver's retries only.
    retriedBy: String(cell["retriedBy"] ?? "driver"),
    system: cell.system,
    effect,
    failurePercent: Number(cell["failurePercent"]),
    per10k: requests === 0 ? 0 : Math.round((found.requests / requests) * 1e6) / 100,
    count: found.requests,
    requests,
    upperPer10k: found.upperBoundPer10k,
    runId,
  });
  return [row("torn", effects.torn), row("repeated", effects.repeated)];
}

function panel(title: string, rows: readonly EffectRow[]): Record<string, unknown> {
  const x = {
    field: "failurePercent",
    type: "ordinal",
    title: "each state operation fails with probability (%)",
    axis: { labelAngle: 0 },
  };
  const xOffset = { field: "system", sort: ["direct", "aft"] };
  const y = { type: "quantitative", title: "requests per 10,000" };
  const domain = ["direct", "aft"];
  const color = {
    field: "system",
    type: "nominal",
    title: "",
    scale: { domain, range: domain.map((system) => systemColours[system]) },
  };
  const unseen = rows.filter(({ count }) => count === 0);
  return {
    title: { text: title, fontSize: 13 },
    width: 330,
    height: 200,
    data: { values: rows },
    layer: [
      { mark: "bar", encoding: { x, xOffset, color, y: { ...y, field: "per10k" } } },
      {
        mark: { type: "text", dy: -7, fontSize: 10 },
        encoding: { x, xOffset, y: { ...y, field: "per10k" }, text: { field: "count" } },
      },
      ...(unseen.length === 0
        ? []
        : [
            {
              data: { values: unseen },
              mark: { type: "rule", strokeDash: [2, 2] },
              encoding: { x, xOffset, color, y: { ...y, field: "upperPer10k" }, y2: { datum: 0 } },
            },
          ]),
    ],
  };
}
