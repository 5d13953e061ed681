/**
 * @module A published figure made live: numbers at the pointer, legends that pick a series, time axes that
 * move and zoom, and colours for a dark page. Pure; runs in the page, and in tests.
 *
 * The published spec stays as it is: this works on a copy, and knows nothing of any figure.
 */
import type { TopLevelSpec } from "vega-lite";

export type Theme = "light" | "dark";

interface Node {
  readonly [key: string]: unknown;
}

/** Where a spec holds further ones. */
const compositions = ["layer", "hconcat", "vconcat", "concat"] as const;

export function interactive(spec: TopLevelSpec, theme: Theme): TopLevelSpec {
  const live = visit(spec as unknown as Node, theme);
  const config = theme === "dark" ? merged(live["config"], darkConfig) : live["config"];
  return {
    ...live,
    config: merged(config, { background: "transparent" }),
  } as unknown as TopLevelSpec;
}

function visit(node: Node, theme: Theme): Node {
  if (isView(node)) return viewOf(node, theme);
  const live: Record<string, unknown> = { ...node };
  for (const key of compositions) {
    const children = node[key];
    if (Array.isArray(children)) live[key] = children.map((child: Node) => visit(child, theme));
  }
  if (isNode(node["spec"])) live["spec"] = visit(node["spec"], theme);
  return live;
}

/** One set of axes: a mark, or layers of marks. */
function isView(node: Node): boolean {
  return node["mark"] !== undefined || Array.isArray(node["layer"]);
}

function viewOf(node: Node, theme: Theme): Node {
  const units = unitsOf(node);
  const fields = [...new Set(units.flatMap((unit) => pickableField(unit, node) ?? []))];
  const picked = fields[0];
  const params = [
    ...(picked === undefined ? [] : [pickParam(picked)]),
    ...(hasMovableX(units) ? [moveParam] : []),
  ];
  // Parameters of a layered view stand in one of its units: the one that has what they need.
  const carrier = units.findIndex((unit) =>
    picked === undefined ? true : pickableField(unit, node) === picked,
  );
  let index = -1;
  const dress = (unit: Node): Node => {
    index += 1;
    const own = index === carrier ? params : [];
    return dressed(unit, { theme, params: own, ...(picked !== undefined && { picked }), node });
  };
  return mapUnits(node, dress);
}

function dressed(
  unit: Node,
  options: {
    readonly theme: Theme;
    readonly params: readonly Node[];
    readonly picked?: string;
    readonly node: Node;
  },
): Node {
  const { theme, params, picked, node } = options;
  const mark = isNode(unit["mark"]) ? unit["mark"] : { type: unit["mark"] };
  const encoding = isNode(unit["encoding"]) ? unit["encoding"] : {};
  const shown = theme === "dark" ? darkened(encoding) : encoding;
  const dims = picked !== undefined && pickableField(unit, node) === picked;
  const fades = dims && encoding["opacity"] === undefined && mark["opacity"] === undefined;
  return {
    ...unit,
    mark: { ...(theme === "dark" ? lightened(mark) : mark), tooltip: { content: "data" } },
    encoding: fades
      ? {
          ...shown,
          opacity: { condition: { param: paramName(picked), value: 1 }, value: 0.12 },
        }
      : shown,
    ...(params.length > 0 && { params }),
  };
}

function unitsOf(node: Node): Node[] {
  const layers = node["layer"];
  if (!Array.isArray(layers)) return [node];
  return layers.flatMap((layer: Node) => unitsOf(layer));
}

function mapUnits(node: Node, change: (unit: Node) => Node): Node {
  const layers = node["layer"];
  if (!Array.isArray(layers)) return change(node);
  return { ...node, layer: layers.map((layer: Node) => mapUnits(layer, change)) };
}

/** The field behind a legend of names; layers may have their colour from the view around them. */
function pickableField(unit: Node, view: Node): string | undefined {
  const colour = channel(unit, "color") ?? channel(view, "color");
  if (colour === undefined || colour["legend"] === null) return undefined;
  const { field, type } = colour as { field?: unknown; type?: unknown };
  return typeof field === "string" && (type === "nominal" || type === "ordinal")
    ? field
    : undefined;
}

function channel(node: Node, name: string): Node | undefined {
  const encoding = node["encoding"];
  if (!isNode(encoding)) return undefined;
  const found = encoding[name];
  return isNode(found) ? found : undefined;
}

/** Bars and marks at names cannot be moved along. */
function hasMovableX(units: readonly Node[]): boolean {
  const axes = units.map((unit) => channel(unit, "x")).filter((axis) => axis !== undefined);
  return (
    axes.length > 0 &&
    axes.every((axis) => axis["type"] === "quantitative" && axis["field"] !== undefined)
  );
}

const paramName = (field: string): string => `pick_${field.replaceAll(/\W/g, "_")}`;

function pickParam(field: string): Node {
  return { name: paramName(field), select: { type: "point", fields: [field] }, bind: "legend" };
}

/** The wheel alone scrolls the page, as everywhere. */
const moveParam: Node = {
  name: "move",
  select: { type: "interval", encodings: ["x"], zoom: "wheel![event.shiftKey]" },
  bind: "scales",
};

const ink = "#e6e7e9";
/** What figures stand on in style.ts. */
const card = "#1c1f23";
const softInk = "#a4a9b0";
const lines = "#3a3e44";

const darkConfig: Node = {
  view: { stroke: lines },
  axis: {
    gridColor: "#2c3036",
    domainColor: softInk,
    tickColor: softInk,
    labelColor: ink,
    titleColor: ink,
  },
  legend: { labelColor: ink, titleColor: ink },
  title: { color: ink, subtitleColor: softInk },
  header: { labelColor: ink, titleColor: ink },
  text: { color: ink },
  rule: { color: ink },
  tick: { color: ink },
};

/** Marks that are named in a near-black would vanish; white ones stand inside a bar and stay. */
function lightened(mark: Node): Node {
  const changed = ["color", "fill", "stroke"].flatMap((key) => {
    const colour = mark[key];
    return typeof colour === "string" && isNearBlack(colour) ? [[key, ink] as const] : [];
  });
  return { ...mark, ...Object.fromEntries(changed) };
}

/** In scales only black itself vanishes; what is hollow on white paper is hollow on a dark card. */
function darkened(encoding: Node): Node {
  return Object.fromEntries(
    Object.entries(encoding).map(([name, definition]) => {
      if (!isNode(definition) || !["color", "fill", "stroke"].includes(name))
        return [name, definition];
      const { scale, condition } = definition;
      const range = isNode(scale) ? scale["range"] : undefined;
      return [
        name,
        {
          ...definition,
          ...(isNode(scale) &&
            Array.isArray(range) && { scale: { ...scale, range: range.map(lightBlack) } }),
          ...(isNode(condition) &&
            condition["value"] === "white" && { condition: { ...condition, value: card } }),
        },
      ];
    }),
  );
}

function lightBlack(colour: unknown): unknown {
  return typeof colour === "string" && ["black", "#000", "#000000"].includes(colour) ? ink : colour;
}

function isNearBlack(colour: string): boolean {
  if (colour === "black") return true;
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(colour);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  const parts = short?.slice(1).map((digit) => digit + digit) ?? long?.slice(1);
  return parts !== undefined && parts.every((part) => Number.parseInt(part, 16) <= 0x66);
}

function merged(base: unknown, over: Node): Node {
  const result: Record<string, unknown> = isNode(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(over))
    result[key] = isNode(value) ? merged(result[key], value) : value;
  return result;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
