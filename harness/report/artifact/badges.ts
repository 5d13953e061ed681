/** @module A checklist for each badge of the ACM (version 1.1), ticked where the record shows it. Pure. */
import type { ArtifactInput } from "./artifact.ts";
import { claimRows } from "./claims.ts";

export interface BadgeItem {
  readonly done: boolean;
  readonly text: string;
}

export interface Badge {
  readonly name: string;
  readonly meaning: string;
  readonly items: readonly BadgeItem[];
}

export function badgesOf(input: ArtifactInput): Badge[] {
  return [available(input), functional(input), reusable(input), reproduced(input)];
}

const open = (text: string): BadgeItem => ({ done: false, text });
const item = (done: boolean, text: string): BadgeItem => ({ done, text });

function available({ repository, manifests }: ArtifactInput): Badge {
  const { licence, commit, dirty } = repository;
  const commits = new Set([...manifests.values()].map(({ git }) => git.commit));
  return {
    name: "Artifacts Available",
    meaning: "placed in a publicly accessible archival repository, with an identifier",
    items: [
      item(
        licence !== undefined,
        licence === undefined
          ? "no LICENSE file with a name in package.json"
          : `licence: ${licence} (LICENSE)`,
      ),
      item(
        !dirty && commits.size === 1 && commits.has(commit),
        `one clean commit holds everything: reference runs at ${[...commits].join(", ")}, this folder made at ${commit}${dirty ? " with uncommitted changes" : ""}`,
      ),
      open(
        "a DOI from an archive (Zenodo, Software Heritage, ...): the authors have to deposit it",
      ),
      open("the DOI stands in the paper: the authors have to add it"),
    ],
  };
}

function functional(input: ArtifactInput): Badge {
  const { suite, manifests } = input;
  const { runs, claims, notRun, calibration } = suite;
  const valid = runs.filter((run) => run.valid).length;
  const testable = claims.filter(({ verdict }) => verdict !== "not-testable").length;
  const commands = claimRows(input).filter(({ command }) => command !== "").length;
  const clean = [...manifests.values()].every(({ git }) => !git.dirty);
  return {
    name: "Artifacts Evaluated: Functional",
    meaning: "documented, consistent, complete, exercisable, with evidence of validation",
    items: [
      item(true, "documented: README.md here leads from an empty machine to every claim"),
      item(
        claims.length > 0 && commands === claims.length,
        `consistent: ${commands} of ${claims.length} claims of the paper have a command (CLAIMS.md)`,
      ),
      item(
        claims.length > 0 && testable === claims.length && notRun.length === 0,
        `complete: ${testable} of ${claims.length} claims could be judged here${notRun.length === 0 ? "" : `; not run: ${notRun.map(({ what, get }) => `${what} (${get})`).join("; ")}`}`,
      ),
      item(
        runs.length > 0,
        `exercisable: ${runs.length} runs in reference/ were made by its commands`,
      ),
      item(clean, "the runs were made by committed code, without changes of their own"),
      item(
        runs.length > 0 && valid === runs.length,
        `validated: ${valid} of ${runs.length} runs pass the suite's own checks of generator and machine`,
      ),
      item(
        calibration?.passed === true && calibration.sameMachine,
        calibration === undefined || calibration === null
          ? "calibration: none recorded; npm run bench -- calibrate before the run makes one"
          : `calibration: certificate ${calibration.hash.slice(0, 12)}, ${calibration.passed ? "passed" : "failed"}, ${calibration.sameMachine ? "on this machine" : "on another machine"}`,
      ),
      open(
        "it works for the reviewers on their machine: theirs to find out (README.md, ten minutes)",
      ),
    ],
  };
}

function reusable({ repository }: ArtifactInput): Badge {
  return {
    name: "Artifacts Evaluated: Reusable",
    meaning: "well documented and structured, so that reuse is facilitated",
    items: [
      item(true, "structure and decisions: ARCHITECTURE.md; every module says what it does"),
      item(
        true,
        "extension points: a table in the repository's README (engines, systems, platforms, workloads, experiments, figures)",
      ),
      item(
        true,
        "data: run directories with published JSON schemas (harness/record/schemas), histories in plume text for other checkers",
      ),
      item(
        true,
        `exact dependencies: package-lock.json, SHA-256 ${repository.lockfileSha256.slice(0, 16)}...`,
      ),
      open("whether that exceeds minimal functionality far enough: the reviewers' judgement"),
    ],
  };
}

function reproduced({ suite }: ArtifactInput): Badge {
  const { claims } = suite;
  const same = claims.filter(({ verdict }) => verdict === "reproduced").length;
  const different = claims.filter(({ verdict }) => verdict === "not-reproduced");
  return {
    name: "Results Reproduced",
    meaning: "the main results were obtained by others, using the authors' artifact",
    items: [
      item(
        claims.length > 0,
        "ranges in which a value counts as reproduced are code, named in CLAIMS.md",
      ),
      item(
        claims.length > 0 && same === claims.length,
        `${same} of ${claims.length} claims are reproduced by the runs in reference/${different.length === 0 ? "" : `; not: ${different.map(({ id }) => id).join(", ")}`}`,
      ),
      open("obtained by somebody else than the authors: the reviewers have to run it"),
    ],
  };
}

export function badgesText(input: ArtifactInput): string {
  const parts = badgesOf(input).map(({ name, meaning, items }) => {
    const lines = items.map(({ done, text }) => `- [${done ? "x" : " "}] ${oneLine(text)}`);
    return `## ${name}\n\n${meaning}.\n\n${lines.join("\n")}`;
  });
  return `# Badges

A box is ticked where the record in this folder, or the repository, shows it. Open boxes are the authors' to do, or the
reviewers' to judge. Badges are the ACM's, version 1.1.

${parts.join("\n\n")}
`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("<", "&lt;");
}
