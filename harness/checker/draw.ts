/**
 * @module A witness as a picture: transactions with the operations that matter, and the edges that
 * admit no commit order. SVG as text; the same witness gives the same bytes.
 */
import {
  type Box,
  placeArrows,
  placeBoxes,
  type PlacedArrow,
  pointOn,
  type Size,
} from "./draw-layout.ts";
import type { Witness, WitnessEdge, WitnessTransaction } from "./witness.ts";

const fontSize = 13;
/** Widest of the usual sans-serif fonts at this size, so that text stays inside. */
const letterWidth = 7.9;
const lineHeight = 18;
const padding = 10;
const maxLetters = 34;
const maxOperations = 8;
const border = 24;

type Rule = WitnessEdge["rule"];

const colours: Readonly<Record<Rule, string>> = {
  so: "#5f6b7a",
  wr: "#1b7f3b",
  init: "#5f6b7a",
  forced: "#c0392b",
  rw: "#8e44ad",
};

const meanings: Readonly<Record<Rule, string>> = {
  so: "session order",
  wr: "reads from",
  init: "the initial transaction comes first",
  forced: "must come before: a reader knows of the one and reads what the other wrote",
  rw: "reads what the other overwrites",
};

export function drawWitness(witness: Witness): string {
  const transactions = inDrawingOrder(witness);
  const boxTexts = transactions.map(linesOf);
  const boxes = placeBoxes(boxTexts.map((lines) => sizeOf(lines)));
  const edges = edgesOf(witness);
  const position = new Map(transactions.map(({ id }, index) => [id, index]));
  const names = new Map(transactions.map(({ id, name }) => [id, name]));
  const labels = edges.map((edge) => labelOf(edge, names));
  const arrows = placeArrows(
    boxes,
    edges.map(({ from, to }, index) => ({
      from: position.get(from) ?? 0,
      to: position.get(to) ?? 0,
      label: sizeOf(labels[index] ?? [], 2),
    })),
  );
  const rules = [...new Set(edges.map(({ rule }) => rule))];
  const frame = frameOf({ boxes, arrows, title: witness.title, rules });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width}" height="${frame.height}" ` +
      `viewBox="${frame.left} ${frame.top} ${frame.width} ${frame.height}" ` +
      `font-family="DejaVu Sans, Verdana, sans-serif" font-size="${fontSize}">`,
    `<rect x="${frame.left}" y="${frame.top}" width="${frame.width}" height="${frame.height}" fill="#ffffff"/>`,
    text(frame.left + border, frame.top + border + 6, witness.title, 'font-weight="bold"'),
    ...arrows.map((arrow, index) => drawArrow(arrow, edges[index]?.rule ?? "so")),
    ...boxes.map((box, index) => drawBox(box, boxTexts[index] ?? [], transactions[index])),
    ...arrows.map((arrow, index) =>
      drawLabel(arrow.label, labels[index] ?? [], edges[index]?.rule ?? "so"),
    ),
    ...rules.map((rule, index) => {
      const y = frame.top + frame.height - border - (rules.length - 1 - index) * lineHeight;
      return text(frame.left + border, y, `${rule}: ${meanings[rule]}`, `fill="${colours[rule]}"`);
    }),
    "</svg>\n",
  ].join("\n");
}

/** The circle's order; a forced edge's reader between its ends, where its own edges are short. */
function inDrawingOrder({ transactions, cycle, support }: Witness): WitnessTransaction[] {
  const order: number[] = [];
  const add = (id: number | undefined): void => {
    if (id !== undefined && !order.includes(id)) order.push(id);
  };
  const inCycle = new Set(cycle.map(({ from }) => from));
  for (const { from, reader } of cycle) {
    add(from);
    if (reader !== undefined && !inCycle.has(reader)) add(reader);
  }
  for (const { from, to } of support) {
    add(from);
    add(to);
  }
  for (const { id } of transactions) add(id);
  return order.map(
    (id) =>
      transactions.find((one) => one.id === id) ?? {
        id,
        name: id === 0 ? "initial" : String(id),
        session: "",
        status: "committed",
        operations: [],
      },
  );
}

/** Each once. Of a witness without edges: who wrote what was read. */
function edgesOf({ cycle, support, transactions }: Witness): WitnessEdge[] {
  const edges = new Map<string, WitnessEdge>();
  for (const edge of [...cycle, ...support]) {
    const id = `${edge.from} ${edge.to} ${edge.rule} ${edge.key ?? ""}`;
    if (!edges.has(id)) edges.set(id, edge);
  }
  if (edges.size > 0) return [...edges.values()];
  return transactions.flatMap((reader) =>
    reader.operations.flatMap((read) =>
      transactions
        .filter(({ id, operations }) => {
          const wrote = operations.some(
            ({ kind, key, value }) => kind === "write" && key === read.key && value === read.value,
          );
          return read.kind === "read" && id !== reader.id && wrote;
        })
        .map(({ id }): WitnessEdge => {
          const { key, value } = read;
          return { from: id, to: reader.id, rule: "wr", key, value };
        }),
    ),
  );
}

function linesOf({ id, name, session, status, operations }: WitnessTransaction): string[] {
  if (id === 0) return ["initial", "wrote every key"];
  const shown = operations.slice(0, maxOperations).map(({ kind, key, value }) => {
    const letter = kind === "read" ? "r" : "w";
    return shorten(`${letter} ${key} = ${value}`);
  });
  const more = operations.length - shown.length;
  return [
    shorten(`transaction ${name}`),
    shorten(`session ${session}${status === "committed" ? "" : `, ${status}`}`),
    ...shown,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function labelOf(edge: WitnessEdge, names: ReadonlyMap<number, string>): string[] {
  const { rule, key, value, reader } = edge;
  if (rule === "forced") {
    const who = names.get(reader ?? -1) ?? "";
    return [shorten(`forced by ${who}`), shorten(`which reads ${key} = ${value}`)];
  }
  if (key === undefined) return [rule];
  return [shorten(value === undefined ? `${rule} ${key}` : `${rule} ${key} = ${value}`)];
}

function shorten(line: string): string {
  const letters = Array.from(line);
  if (letters.length <= maxLetters) return line;
  // Both ends tell: names differ at the end, and values stand there.
  const head = letters.slice(0, maxLetters / 2 - 1).join("");
  return `${head}…${letters.slice(-(maxLetters / 2)).join("")}`;
}

function sizeOf(lines: readonly string[], pad = padding): Size {
  const letters = Math.max(0, ...lines.map((line) => Array.from(line).length));
  return { width: letters * letterWidth + 2 * pad, height: lines.length * lineHeight + 2 * pad };
}

interface Frame extends Size {
  readonly left: number;
  readonly top: number;
}

function frameOf(content: {
  readonly boxes: readonly Box[];
  readonly arrows: readonly PlacedArrow[];
  readonly title: string;
  readonly rules: readonly Rule[];
}): Frame {
  const { boxes, arrows, title, rules } = content;
  const areas: Box[] = [
    ...boxes,
    ...arrows.flatMap(({ points, label }) => [
      label,
      ...[0.25, 0.5, 0.75].map((t) => ({ ...pointOn(points, t), width: 4, height: 4 })),
    ]),
  ];
  const left = Math.min(...areas.map(({ x, width }) => x - width / 2)) - border;
  const right = Math.max(...areas.map(({ x, width }) => x + width / 2)) + border;
  const top = Math.min(...areas.map(({ y, height }) => y - height / 2)) - border - 2 * lineHeight;
  const bottom =
    Math.max(...areas.map(({ y, height }) => y + height / 2)) +
    border +
    (rules.length + 1) * lineHeight;
  const lines = [title, ...rules.map((rule) => `${rule}: ${meanings[rule]}`)];
  const width = Math.max(right - left, sizeOf(lines).width + 2 * border);
  return {
    left: Math.round(left),
    top: Math.round(top),
    width: Math.ceil(width),
    height: Math.ceil(bottom - top),
  };
}

function drawBox(box: Box, lines: readonly string[], transaction?: WitnessTransaction): string {
  const { x, y, width, height } = box;
  const [left, top] = [x - width / 2, y - height / 2];
  const isOdd = transaction?.status === "aborted";
  const look = `rx="6" fill="${isOdd ? "#fdf0ee" : "#f6f8fa"}" stroke="#24292f"`;
  const rectangle = `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" ${look}/>`;
  const texts = lines.map((line, index) =>
    text(
      left + padding,
      top + padding + (index + 0.75) * lineHeight,
      line,
      index === 0 ? 'font-weight="bold"' : "",
    ),
  );
  return [rectangle, ...texts].join("\n");
}

function drawArrow({ points }: PlacedArrow, rule: Rule): string {
  const [start, control, end] = points;
  const colour = colours[rule];
  const dash = rule === "forced" || rule === "rw" ? ' stroke-dasharray="7 4"' : "";
  const path = `M${round(start.x)} ${round(start.y)} Q${round(control.x)} ${round(control.y)} ${round(end.x)} ${round(end.y)}`;
  const angle = Math.atan2(end.y - control.y, end.x - control.x);
  const corner = (turn: number): string =>
    `${round(end.x - 11 * Math.cos(angle + turn))},${round(end.y - 11 * Math.sin(angle + turn))}`;
  const head = `<polygon points="${round(end.x)},${round(end.y)} ${corner(0.42)} ${corner(-0.42)}" fill="${colour}"/>`;
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"${dash}/>\n${head}`;
}

function drawLabel(box: Box, lines: readonly string[], rule: Rule): string {
  const { x, y, width, height } = box;
  const back = `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" fill="#ffffff" fill-opacity="0.92"/>`;
  const texts = lines.map((line, index) =>
    text(
      x,
      y + (index + 0.75 - lines.length / 2) * lineHeight,
      line,
      `text-anchor="middle" fill="${colours[rule]}"`,
    ),
  );
  return [back, ...texts].join("\n");
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escape(content)}</text>`;
}

/** Names come from anybody's file: no markup, and only characters that XML has. */
function escape(content: string): string {
  return Array.from(content, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    // Half a surrogate pair is no character either.
    const isNone =
      code < 32 || code === 127 || (code & 0xfffe) === 0xfffe || (code & 0xfffff800) === 0xd800;
    return entities[letter] ?? (isNone ? "\uFFFD" : letter);
  }).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
