/** @module `--only factor:level`: which of an experiment's cells to run. Pure. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import type { CellPlan } from "./define.ts";

/** Levels asked for by factor; a cell is selected when every named factor has one of its levels. */
export type Selection = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads `factor:level` texts; several levels of one factor are alternatives.
 *
 * @throws ConfigError listing every malformed text.
 */
export function parseSelection(texts: readonly string[]): Selection {
  const problems: ConfigProblem[] = [];
  const selection = new Map<string, Set<string>>();
  for (const text of texts.flatMap((part) => part.split(","))) {
    const colon = text.indexOf(":");
    if (colon < 1 || colon === text.length - 1) {
      problems.push({
        where: "--only",
        what: `"${text}" is not factor:level`,
        hint: "for instance storage:redis",
      });
      continue;
    }
    const factor = text.slice(0, colon);
    const levels = selection.get(factor) ?? new Set();
    levels.add(normalise(text.slice(colon + 1)));
    selection.set(factor, levels);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return selection;
}

/**
 * The selected cells, in order.
 *
 * @throws ConfigError when a factor or level matches no cell at all, naming the known ones: a
 *   selection that silently selects nothing would look like a passed run.
 */
export function selectCells(plans: readonly CellPlan[], selection: Selection): CellPlan[] {
  const problems: ConfigProblem[] = [];
  for (const [factor, levels] of selection) {
    const known = new Set(
      plans
        .map(({ cell }) => cell[factor])
        .filter((level) => level !== undefined)
        .map((level) => normalise(String(level))),
    );
    if (known.size === 0) {
      const factors = [...new Set(plans.flatMap(({ cell }) => Object.keys(cell)))];
      problems.push({
        where: "--only",
        what: `unknown factor "${factor}"`,
        hint: `known: ${factors.join(", ")}`,
      });
      continue;
    }
    for (const level of levels) {
      if (known.has(level)) continue;
      problems.push({
        where: "--only",
        what: `no cell has ${factor}:${level}`,
        hint: `known: ${[...known].join(", ")}`,
      });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const selected = plans.filter(({ cell }) =>
    [...selection].every(([factor, levels]) => levels.has(normalise(String(cell[factor])))),
  );
  if (selected.length === 0) {
    throw new ConfigError([
      { where: "--only", what: "no cell has this combination", hint: "see `aft-bench plan`" },
    ]);
  }
  return selected;
}

/** `1.0` and `1` name the same level. */
function normalise(level: string): string {
  const number = Number(level);
  return level.trim() !== "" && Number.isFinite(number) ? String(number) : level;
}
