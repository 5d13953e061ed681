/** @module Gate results for a terminal, for a pull request and as JUnit XML. Pure. */
import type { GateCheck, GateResult } from "./outcome.ts";

const word = { pass: "pass", fail: "FAIL", inconclusive: "inconclusive" } as const;

/** One line per check that did not pass, one line for those that did. */
export function formatGates(results: readonly GateResult[]): string {
  return results
    .map((result) => {
      const bad = result.checks.filter(({ outcome }) => outcome !== "pass");
      const passed = result.checks.length - bad.length;
      const attempts = result.attempts === 1 ? "" : `, ${result.attempts} attempts`;
      return [
        `${result.gate} gate: ${word[result.outcome]} (${passed} of ${result.checks.length} checks passed${attempts})`,
        ...(result.gate === "time" ? result.checks : bad).map(formatCheck),
        ...result.notes.map((note) => `  ${note}`),
      ].join("\n");
    })
    .join("\n");
}

function formatCheck({ name, outcome, explanation }: GateCheck): string {
  return `  ${word[outcome]}: ${name}: ${explanation}`;
}

/** For a pull request's comment or `$GITHUB_STEP_SUMMARY`. */
export function gatesToMarkdown(results: readonly GateResult[]): string {
  const sections = results.map((result) => {
    const cell = (text: string): string => text.replaceAll("|", "\\|");
    const rows = result.checks
      .filter(({ outcome }) => result.gate === "time" || outcome !== "pass")
      .map((check) => `| ${check.outcome} | ${cell(check.name)} | ${cell(check.explanation)} |`);
    const table = rows.length === 0 ? [] : ["", "| outcome | check | figures |", "|---|---|---|"];
    const passed = result.checks.filter(({ outcome }) => outcome === "pass").length;
    return [
      `### ${result.gate} gate: ${result.outcome}`,
      "",
      `${passed} of ${result.checks.length} checks passed, ${result.attempts} attempt(s).`,
      ...table,
      ...rows,
      ...(result.notes.length === 0 ? [] : ["", ...result.notes.map((note) => `- ${note}`)]),
    ].join("\n");
  });
  return `${sections.join("\n\n")}\n`;
}

/** A check is a test case; an inconclusive one is skipped, with its reason. */
export function gatesToJunit(results: readonly GateResult[]): string {
  const suites = results.map((result) => {
    const count = (outcome: GateCheck["outcome"]): number =>
      result.checks.filter((check) => check.outcome === outcome).length;
    const cases = result.checks.map(({ name, outcome, explanation }) => {
      const open = `    <testcase classname="${result.gate}" name="${escapeXml(name)}"`;
      const message = `message="${escapeXml(explanation)}"`;
      if (outcome === "pass") return `${open}/>`;
      return `${open}><${outcome === "fail" ? "failure" : "skipped"} ${message}/></testcase>`;
    });
    return [
      `  <testsuite name="${result.gate} gate" tests="${result.checks.length}" failures="${count("fail")}" skipped="${count("inconclusive")}">`,
      ...cases,
      "  </testsuite>",
    ].join("\n");
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
