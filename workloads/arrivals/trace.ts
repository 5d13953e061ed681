/** @module A trace of due times as text: one a line, in milliseconds from the start. Pure. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";

/** A file may be wrong on every line; so many problems tell what is wrong with it. */
const mostProblems = 10;

/**
 * Reads due times; empty lines and lines that begin with `#` are skipped.
 *
 * @returns Whole microseconds, ascending.
 * @throws ConfigError with the line number of everything that is no time or goes back in time.
 */
export function parseTrace(source: string, text: string): number[] {
  const problems: ConfigProblem[] = [];
  const dueUs: number[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const where = `${source}:${index + 1}`;
    const milliseconds = Number(line);
    if (!Number.isFinite(milliseconds) || milliseconds < 0) {
      const hint = "one due time a line, in milliseconds from the start";
      problems.push({ where, what: `"${line.slice(0, 40)}" is no time`, hint });
    } else if (Math.round(milliseconds * 1_000) < (dueUs.at(-1) ?? 0)) {
      problems.push({ where, what: `${line} is before the line above`, hint: "sort the file" });
    } else {
      dueUs.push(Math.round(milliseconds * 1_000));
    }
    if (problems.length === mostProblems) break;
  }
  if (problems.length === 0 && dueUs.length === 0)
    problems.push({ where: source, what: "holds no due times" });
  if (problems.length > 0) throw new ConfigError(problems);
  return dueUs;
}
