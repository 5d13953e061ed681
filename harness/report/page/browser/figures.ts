/**
 * @module Draws live figures over the still ones, one after the other, so that the page stays usable. A
 * figure that cannot be drawn keeps its still picture.
 */
import type { TopLevelSpec } from "vega-lite";
import { type View, Warn } from "vega";
import embed from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { interactive, type Theme } from "../interactive.ts";
import { enableDownloads } from "./downloads.ts";

export interface FigureData {
  readonly title: string;
  readonly spec: TopLevelSpec;
  readonly csv: string;
}

const drawn = new Map<string, () => void>();
let drawing = 0;

/** Again after a change of theme; a drawing that is under way is then given up. */
export async function drawFigures(theme: Theme): Promise<void> {
  drawing += 1;
  const own = drawing;
  for (const picture of document.querySelectorAll<HTMLElement>("[data-figure]")) {
    if (own !== drawing) return;
    await drawFigure(picture, theme);
  }
  document.documentElement.dataset["drawn"] = theme;
}

async function drawFigure(picture: HTMLElement, theme: Theme): Promise<void> {
  const id = picture.dataset["figure"] ?? "";
  const data = dataOf(id);
  const host = picture.querySelector<HTMLElement>(".live");
  if (data === undefined || host === null) return;
  if (!drawn.has(id)) enableDownloads(picture, { id, data });
  drawn.get(id)?.();
  const result = await embed(host, interactive(data.spec, theme), {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    // Expressions are interpreted: the page's policy forbids to make code of texts.
    ast: true,
    expr: expressionInterpreter,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    logLevel: Warn,
  });
  drawn.set(id, () => {
    result.finalize();
  });
  openRunsOnClick(result.view);
  picture.classList.add("drawn");
}

function dataOf(id: string): FigureData | undefined {
  const text = document.querySelector(`#${CSS.escape(`data-${id}`)}`)?.textContent;
  return text === undefined || text === null ? undefined : (JSON.parse(text) as FigureData);
}

/** A click on a mark goes to the line of its run, which links the run's directory. */
function openRunsOnClick(view: View): void {
  view.addEventListener("click", (_event, item) => {
    const { runId } = (item?.datum ?? {}) as { readonly runId?: unknown };
    if (typeof runId === "string") location.hash = `#run-${encodeURIComponent(runId)}`;
  });
}
