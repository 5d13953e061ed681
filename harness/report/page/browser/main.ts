/**
 * @module What runs in the report page. Everything it shows is in the page already; without it the page
 * has still pictures and tables.
 */
import { drawFigures } from "./figures.ts";
import { enableFilter } from "./filter.ts";
import { enableTheme } from "./theme.ts";

for (const element of document.querySelectorAll("[data-for-script]"))
  element.removeAttribute("hidden");
enableFilter();
const theme = enableTheme(() => void drawFigures(theme.current()));
void drawFigures(theme.current());
