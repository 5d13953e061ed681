/** @module Top of the page: what it is, its stamps; and, at the end, machine and versions. */
import type { RunManifest, SuiteResult } from "#harness/record/run.ts";
import { formatCalibration, kindOf } from "../format.ts";
import { type Html, joined, markup, nothing } from "./markup.ts";
import type { PageInput, Section } from "./page.ts";

export function header(input: PageInput): Html {
  const { suite } = input;
  const started = formatInstant(suite.startedAtMs);
  const seconds = (suite.durationMs / 1_000).toFixed(0);
  const { cpuModel, cores, os, node } = suite.machine;
  return markup`<header><div class="top"><div><h1>aft-bench: ${suite.suite}</h1>
<p class="soft">${started} UTC, profile ${suite.profile}, ${seconds} s, on ${cpuModel}, ${cores} cores, ${os}, Node ${node}. ${loopsOf(suite)}</p></div>
<button type="button" id="theme" aria-pressed="false" hidden>Dark</button></div>
<ul class="stamps" aria-label="Stamps">${joined(stampsOf(input))}</ul></header>`;
}

function stampsOf({ suite, manifests }: PageInput): Html[] {
  const { runs, state, calibration } = suite;
  const valid = runs.filter((run) => run.valid).length;
  const violated = runs.filter((run) => run.violated.length > 0).length;
  const kinds = [...new Set(runs.map(kindOf))].toSorted();
  const counted = kinds.map(
    (kind) => `${runs.filter((run) => kindOf(run) === kind).length} ${kind}`,
  );
  const dirty = [...manifests.values()].some(({ git }) => git.dirty);
  return [
    calibration?.passed === true && calibration.sameMachine
      ? stamp("good", formatCalibration(suite))
      : stamp(calibration === undefined ? "" : "bad", formatCalibration(suite)),
    stamp(valid === runs.length ? "good" : "bad", `${valid} of ${runs.length} runs valid`),
    stamp(
      violated === 0 ? "good" : "bad",
      violated === 0 ? "no promise broken" : `${violated} runs broke a promise`,
    ),
    stamp(
      state === "complete" ? "good" : "bad",
      state === "complete" ? "complete" : "interrupted: partial",
    ),
    ...(counted.length === 0 ? [] : [stamp("", counted.join(", "))]),
    ...(dirty ? [stamp("bad", "measured with uncommitted changes")] : []),
    ...(manifests.size < runs.length
      ? [stamp("bad", `${runs.length - manifests.size} run directories are not here`)]
      : []),
  ];
}

function stamp(kind: "good" | "bad" | "", text: string): Html {
  return markup`<li class="${kind}">${text}</li>`;
}

/** Closed- and open-loop times are never meant by the same word (MEASURING rule 12). */
function loopsOf({ runs }: SuiteResult): string {
  const open = runs.some(({ labels }) => labels.includes("open-loop"));
  const closed = runs.some(({ labels }) => labels.includes("closed-loop"));
  const texts = [
    ...(closed ? ["Times of closed loops count from a request's first start."] : []),
    ...(open ? ["Times of open loops count from a request's due time."] : []),
  ];
  return texts.join(" ");
}

export function machineSection({ suite, manifests }: PageInput): Section {
  const { machine } = suite;
  const all = [...manifests.values()];
  const facts: readonly (readonly [string, string])[] = [
    ["processor", `${machine.cpuModel}, ${machine.cores} cores`],
    ["memory", `${machine.memoryMiB} MiB`],
    ["system", `${machine.os} ${machine.kernel}`],
    ["Node", machine.node],
    ["load average before", String(machine.loadAverageAtStart)],
    ["commit", distinct(all, ({ git }) => `${git.commit}${git.dirty ? " with changes" : ""}`)],
    ["method", distinct(all, ({ mode }) => mode)],
    ["seeds", distinct(all, ({ seeds }) => `${seeds["seed"] ?? JSON.stringify(seeds)}`)],
    ["command", distinct(all, ({ command }) => command.join(" "))],
  ];
  const known = facts.filter(([, text]) => text !== "");
  const list = markup`<dl>${joined(known.map(([name, text]) => markup`<dt>${name}</dt><dd>${text}</dd>`))}</dl>`;
  return { id: "machine", title: "Machine and versions", content: joined([list, versionsOf(all)]) };
}

function versionsOf(manifests: readonly RunManifest[]): Html {
  const names = [...new Set(manifests.flatMap(({ versions }) => Object.keys(versions)))].toSorted();
  if (names.length === 0) return nothing;
  const rows = names.map(
    (name) =>
      markup`<dt>${name}</dt><dd>${distinct(manifests, ({ versions }) => versions[name] ?? "")}</dd>`,
  );
  return markup`<details><summary>Versions of ${names.length} packages</summary><dl>${joined(rows)}</dl></details>`;
}

/** What differs between runs is listed, never one of them for all. */
function distinct(
  manifests: readonly RunManifest[],
  of: (manifest: RunManifest) => string,
): string {
  return [...new Set(manifests.map(of))].filter((text) => text !== "").join("; ");
}

function formatInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace("T", " ").slice(0, 16);
}
