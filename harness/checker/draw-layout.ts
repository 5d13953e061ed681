/**
 * @module Where the boxes, arrows and labels of a witness's picture stand.
 *
 * Boxes stand on an ellipse that grows until none overlap; each arrow takes the flattest bow, and its
 * label the place along it, that touch no other box or label. Pure geometry, in pixels.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** By its middle. */
export interface Box extends Size, Point {}

export interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly label: Size;
}

export interface PlacedArrow {
  /** Quadratic curve between the borders of its boxes. */
  readonly points: readonly [start: Point, control: Point, end: Point];
  readonly label: Box;
}

/** Around every box: room for arrows and labels. */
const margin: Size = { width: 150, height: 84 };
const gap = 7;
const bows = [0, 28, -28, 60, -60, 100, -100, 150, -150, 210, -210, 280, -280, 360, -360];
const labelPlaces = [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73];

/** The first box is on top (of two: left), the others follow clockwise. */
export function placeBoxes(sizes: readonly Size[]): Box[] {
  if (sizes.length === 1) return sizes.map((size) => ({ ...size, x: 0, y: 0 }));
  const start = sizes.length === 2 ? Math.PI : -Math.PI / 2;
  for (let scale = 60; ; scale *= 1.08) {
    const boxes = sizes.map((size, index) => {
      const angle = start + (2 * Math.PI * index) / sizes.length;
      return { ...size, x: Math.cos(angle) * scale * 1.35, y: Math.sin(angle) * scale };
    });
    const roomy = boxes.map((box) => grown(box, margin));
    if (roomy.every((box, index) => roomy.slice(index + 1).every((other) => !overlap(box, other))))
      return boxes;
  }
}

export function placeArrows(boxes: readonly Box[], arrows: readonly Arrow[]): PlacedArrow[] {
  const placed: PlacedArrow[] = [];
  for (const arrow of arrows) {
    let best: { readonly cost: number; readonly arrow: PlacedArrow } | undefined;
    for (const [rank, bow] of bows.entries()) {
      for (const [place, at] of labelPlaces.entries()) {
        const candidate = bend(boxes, arrow, { bow, at });
        const cost = costOf(candidate, { boxes, arrow, placed }) + rank * 4 + place;
        if (best === undefined || cost < best.cost) best = { cost, arrow: candidate };
      }
    }
    if (best !== undefined) placed.push(best.arrow);
  }
  return placed;
}

export function pointOn([start, control, end]: PlacedArrow["points"], t: number): Point {
  const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
  return {
    x: a * start.x + b * control.x + c * end.x,
    y: a * start.y + b * control.y + c * end.y,
  };
}

function bend(
  boxes: readonly Box[],
  { from, to, label }: Arrow,
  { bow, at }: { readonly bow: number; readonly at: number },
): PlacedArrow {
  const [a, b] = [boxes[from] ?? origin, boxes[to] ?? origin];
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const control = {
    x: (a.x + b.x) / 2 - ((b.y - a.y) / length) * bow * 2,
    y: (a.y + b.y) / 2 + ((b.x - a.x) / length) * bow * 2,
  };
  const whole: PlacedArrow["points"] = [a, control, b];
  const begin = leaves(whole, grown(a, { width: 4, height: 4 }), 0);
  const end = leaves(whole, grown(b, { width: 10, height: 10 }), 1);
  const points = part(whole, begin, end);
  return { points, label: { ...label, ...pointOn(points, at) } };
}

const origin: Box = { x: 0, y: 0, width: 0, height: 0 };

/** Where the curve leaves a box that it begins (0) or ends (1) in. */
function leaves(points: PlacedArrow["points"], box: Box, side: 0 | 1): number {
  for (let step = 0; step <= 200; step += 1) {
    const t = side === 0 ? step / 200 : 1 - step / 200;
    const { x, y } = pointOn(points, t);
    if (!overlap(box, { x, y, width: 0, height: 0 })) return t;
  }
  return side;
}

/** The same curve between two of its parameters. */
function part(points: PlacedArrow["points"], from: number, to: number): PlacedArrow["points"] {
  const [start, control, end] = points;
  const blend = (s: number, t: number): Point => ({
    x: mix(mix(start.x, control.x, s), mix(control.x, end.x, s), t),
    y: mix(mix(start.y, control.y, s), mix(control.y, end.y, s), t),
  });
  return [pointOn(points, from), blend(from, to), pointOn(points, to)];
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** Touching a box is worst, then a label on a label, then an arrow through a label or along another. */
function costOf(
  candidate: PlacedArrow,
  around: {
    readonly boxes: readonly Box[];
    readonly arrow: Arrow;
    readonly placed: readonly PlacedArrow[];
  },
): number {
  const { boxes, arrow, placed } = around;
  const path = samples(candidate.points);
  const label = grown(candidate.label, { width: gap, height: gap });
  let cost = 0;
  for (const [index, box] of boxes.entries()) {
    if (overlap(label, box)) cost += 4_000;
    if (index === arrow.from || index === arrow.to) continue;
    const wide = grown(box, { width: 2 * gap, height: 2 * gap });
    cost += path.filter((point) => overlap(wide, { ...point, width: 0, height: 0 })).length * 300;
  }
  for (const other of placed) {
    if (overlap(label, other.label)) cost += 3_000;
    const theirs = samples(other.points);
    cost += theirs.filter((point) => overlap(label, { ...point, width: 0, height: 0 })).length * 60;
    cost +=
      path.filter((point) => overlap(other.label, { ...point, width: 0, height: 0 })).length * 60;
    // Two arrows on one line look like one.
    const near = path.filter((a) => theirs.some((b) => Math.hypot(a.x - b.x, a.y - b.y) < 9));
    cost += Math.max(0, near.length - 3) * 40;
  }
  return cost;
}

function samples(points: PlacedArrow["points"]): Point[] {
  return Array.from({ length: 25 }, (_, index) => pointOn(points, index / 24));
}

/** By a total width and height. */
function grown(box: Box, by: Size): Box {
  return { ...box, width: box.width + by.width, height: box.height + by.height };
}

export function overlap(a: Box, b: Box): boolean {
  return (
    Math.abs(a.x - b.x) * 2 < a.width + b.width && Math.abs(a.y - b.y) * 2 < a.height + b.height
  );
}
