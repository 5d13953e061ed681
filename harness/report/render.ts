/** @module vega-lite specs to SVG and PNG, with a bundled font, the same bytes for the same spec. */
import { fileURLToPath } from "node:url";
import { Resvg } from "@resvg/resvg-js";
import { Warn, parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { fontFamily } from "./figures/figure.ts";

const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) =>
  fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`)),
);

/** Pixels of the PNG per unit of the SVG: sharp on dense screens and in print. */
const pixelScale = 2;

/** The font of the pictures, and what may stand in where it is not installed. */
const fontStack = `${fontFamily},Verdana,Arial,sans-serif`;

/** Throws when the spec does not compile: a mistake of the figure. */
export async function renderFigure(
  spec: TopLevelSpec,
  /** Changes the SVG before the PNG is made of it. */
  finish: (svg: string) => string = (svg) => svg,
): Promise<{ readonly svg: string; readonly png: Uint8Array }> {
  const view = new View(parse(compile(spec).spec), { renderer: "none", logLevel: Warn });
  const drawn = await view.toSVG();
  const svg = finish(drawn.replaceAll(`font-family="${fontFamily}"`, `font-family="${fontStack}"`));
  view.finalize();
  const png = new Resvg(svg, {
    fitTo: { mode: "zoom", value: pixelScale },
    background: "white",
    font: { fontFiles, loadSystemFonts: false, defaultFontFamily: fontFamily },
  })
    .render()
    .asPng();
  return { svg, png };
}
