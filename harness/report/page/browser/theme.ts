/** @module Light or dark: as the system has it, until the reader says otherwise for this view of the page. */
import type { Theme } from "../interactive.ts";

const key = "aft-bench-theme";

export interface ThemeSwitch {
  readonly current: () => Theme;
}

export function enableTheme(onChange: () => void): ThemeSwitch {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = remembered();
  const current = (): Theme => chosen ?? (system.matches ? "dark" : "light");
  const button = document.querySelector<HTMLButtonElement>("#theme");
  const show = (): void => {
    if (chosen !== undefined) document.documentElement.dataset["theme"] = chosen;
    button?.setAttribute("aria-pressed", String(current() === "dark"));
  };
  if (button !== null) {
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = current() === "dark" ? "light" : "dark";
      remember(chosen);
      show();
      onChange();
    });
  }
  system.addEventListener("change", () => {
    show();
    if (chosen === undefined) onChange();
  });
  show();
  return { current };
}

/** Session storage lives as long as the tab; where it is forbidden the choice lasts until a reload. */
function remembered(): Theme | undefined {
  try {
    const value = sessionStorage.getItem(key);
    return value === "dark" || value === "light" ? value : undefined;
  } catch {
    return undefined;
  }
}

function remember(theme: Theme): void {
  try {
    sessionStorage.setItem(key, theme);
  } catch {
    // The page still has it; only a reload forgets.
  }
}
