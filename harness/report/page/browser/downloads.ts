/**
 * @module A figure's files from the page itself, so that they are there when it is alone. The links to the
 * files beside the page become buttons.
 */
import type { FigureData } from "./figures.ts";

/** Pixels of a PNG per unit of the picture, as in the files beside the page. */
const pixelScale = 2;

export function enableDownloads(
  picture: HTMLElement,
  { id, data }: { readonly id: string; readonly data: FigureData },
): void {
  const contents: Readonly<Record<string, () => Blob | Promise<Blob>>> = {
    svg: () => new Blob([stillSvg(picture).text], { type: "image/svg+xml" }),
    png: () => pngOf(stillSvg(picture)),
    csv: () => new Blob([data.csv], { type: "text/csv" }),
    "vl.json": () =>
      new Blob([`${JSON.stringify(data.spec, undefined, 2)}\n`], { type: "application/json" }),
  };
  const links =
    picture.closest("figure")?.querySelectorAll<HTMLAnchorElement>("a[data-save]") ?? [];
  for (const link of links) {
    const extension = link.dataset["save"] ?? "";
    const content = contents[extension];
    if (content === undefined) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["save"] = extension;
    button.textContent = link.textContent;
    button.setAttribute("aria-label", `Save ${link.textContent} of ${data.title}`);
    button.addEventListener("click", () => {
      void Promise.resolve(content()).then((blob) => {
        save(blob, `${id}.${extension}`);
      });
    });
    link.replaceWith(button);
  }
}

interface StillSvg {
  readonly text: string;
  readonly width: number;
  readonly height: number;
}

/** The picture as it was published: complete, on white, with its stamp if it has one. */
function stillSvg(picture: HTMLElement): StillSvg {
  const svg = picture.querySelector(".still svg");
  if (svg === null) throw new Error("a figure has no still picture");
  const size = (name: string): number => Number.parseFloat(svg.getAttribute(name) ?? "0");
  const text = new XMLSerializer().serializeToString(svg);
  return { text, width: size("width"), height: size("height") };
}

async function pngOf({ text, width, height }: StillSvg): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * pixelScale);
  canvas.height = Math.ceil(height * pixelScale);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser has no canvas");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("the picture is too large for this browser"));
      else resolve(blob);
    }, "image/png");
  });
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it over by the next turn.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
