/** @module Shows those lines of the runs table that hold every word that was typed. */

export function enableFilter(): void {
  const input = document.querySelector<HTMLInputElement>("#filter");
  const count = document.querySelector("#filter-count");
  const rows = [...document.querySelectorAll<HTMLTableRowElement>("#runs tr[data-run]")];
  if (input === null || count === null) return;
  const texts = rows.map((row) =>
    `${row.closest("tbody")?.id ?? ""} ${row.textContent}`.toLowerCase(),
  );
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [index, row] of rows.entries()) {
      row.hidden = !words.every((word) => texts[index]?.includes(word));
      if (!row.hidden) shown += 1;
    }
    for (const body of document.querySelectorAll<HTMLElement>("#runs tbody"))
      body.hidden = body.querySelector("tr[data-run]:not([hidden])") === null;
    count.textContent = words.length === 0 ? "" : `${shown} of ${rows.length} runs`;
  });
}
