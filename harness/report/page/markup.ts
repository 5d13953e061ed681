/**
 * @module HTML as values: whatever is not marked as HTML is escaped, because records may come from
 * anybody. Pure.
 */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[] | undefined;

/** A template; texts and numbers in it are escaped, `undefined` is nothing. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? "";
  for (const [index, part] of parts.entries()) text += render(part) + (strings[index + 1] ?? "");
  return { html: text };
}

/** Marks as HTML what this project made itself: a picture, a bundle. Never what a record says. */
export function trusted(text: string): Html {
  return { html: text };
}

export const nothing: Html = { html: "" };

export function joined(parts: readonly Html[], between = "\n"): Html {
  return { html: parts.map((part) => part.html).join(between) };
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  return "html" in part ? part.html : part.map(({ html }) => html).join("\n");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** JSON for a data block: it cannot end the element it stands in, whatever strings are in it. */
export function jsonFor(value: unknown): Html {
  return { html: JSON.stringify(value).replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028") };
}

export interface TableColumn<Row> {
  readonly title: string;
  /** Words stand left and numbers right; `wide` ones may wrap. */
  readonly kind?: "text" | "wide" | "number";
  readonly cell: (row: Row) => string | Html;
}

/** A table in a box that scrolls by itself, so that the page never does sideways; `""` without rows. */
export function table<Row>(options: {
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly className?: string;
}): Html {
  const { label, columns, rows, className = "" } = options;
  if (rows.length === 0) return nothing;
  const body = joined(rows.map((row) => markup`<tr>${cells(columns, row)}</tr>`));
  return tableOf({ label, columns, className, bodies: markup`<tbody>${body}</tbody>` });
}

export function cells<Row>(columns: readonly TableColumn<Row>[], row: Row): Html {
  return joined(
    columns.map(({ title, kind = "number", cell }) => {
      const content = cell(row);
      return markup`<td class="${kind}" data-title="${title}">${content}</td>`;
    }),
    "",
  );
}

/** The same around bodies that are there already. */
export function tableOf<Row>(options: {
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly bodies: Html;
  readonly className?: string;
}): Html {
  const { label, columns, bodies, className = "" } = options;
  const head = columns.map(
    ({ title, kind = "number" }) => markup`<th scope="col" class="${kind}">${title}</th>`,
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="${className}"><thead><tr>${joined(head, "")}</tr></thead>
${bodies}
</table></div>`;
}
