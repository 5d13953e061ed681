/** @module `aft-bench list`: what there is to run. */
import { missingSystems } from "#harness/experiment/missing-systems.ts";
import { platformNames } from "#harness/faas/registry.ts";
import { storageServiceNames } from "#harness/services/registry.ts";
import { stateSystemNames } from "#shim/state/registry.ts";
import { workloadNames } from "#workloads/registry.ts";
import { emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import { experiments, suites } from "#bench/experiments/registry.ts";
import { micros } from "#bench/micro/registry.ts";
import { formatColumns } from "#bench/text.ts";

export async function list(options: { readonly json: boolean }): Promise<string> {
  const notInstalled = await missingSystems(
    stateSystemNames.map((system) => ({ system })),
    new Set(),
  );
  const document = {
    suites: suites.map(({ id, title, experiments: members }) => ({
      id,
      title,
      experiments: members.map((member) => member.id),
    })),
    experiments: experiments.map(({ id, title, question, reproduces }) => ({
      id,
      title,
      question,
      reproduces: reproduces.source,
    })),
    micros: micros.map(({ id, title }) => ({ id, title })),
    systems: stateSystemNames,
    notInstalled: [...notInstalled].map(([system, { why, get }]) => ({ system, why, get })),
    storages: storageServiceNames,
    emulations: Object.keys(emulationProfiles),
    platforms: platformNames,
    workloads: workloadNames,
  };
  if (options.json) return JSON.stringify(document, undefined, 2);
  return [
    "Suites",
    formatColumns(document.suites.map(({ id, title }) => [`  ${id}`, title])),
    "Experiments",
    formatColumns(document.experiments.map(({ id, title }) => [`  ${id}`, title])),
    "Micro-benchmarks",
    formatColumns(document.micros.map(({ id, title }) => [`  ${id}`, title])),
    "Axes",
    formatColumns([
      ["  system", document.systems.join(", ")],
      ["  storage", document.storages.join(", ")],
      ["  emulation", ["none", ...document.emulations].join(", ")],
      ["  platform", document.platforms.join(", ")],
      ["  workload", document.workloads.join(", ")],
    ]),
    ...document.notInstalled.map(({ system, why, get }) => `Not run: ${system}, ${why}; ${get}`),
  ].join("\n");
}
