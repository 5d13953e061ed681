/** @module `aft-bench contract ./file.ts`: whether what a module exports keeps the contracts of its ports. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { Clock } from "#kit/clock.ts";
import { checkContract, type ClauseResult, type ContractClause } from "#kit/contract.ts";
import { describeError } from "#kit/errors.ts";
import { importOutside, type OutsideExport } from "#kit/node/outside.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { experimentContract } from "#harness/experiment/experiment.contract.ts";
import { loadPlatform } from "#harness/faas/registry.ts";
import { openPlatformSubject, platformContract } from "#harness/faas/platform.contract.ts";
import { startOutsideStore } from "#harness/services/outside-store.ts";
import { startStorageService } from "#harness/services/registry.ts";
import { loadStateSystem } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { openStorageSubject, storageContract } from "#shim/storage/storage.contract.ts";
import { loadWorkload } from "#workloads/registry.ts";
import { workloadContract } from "#workloads/workload.contract.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { knownLevels, loadExperiment, loadOutside, withModulePaths } from "./outside.ts";

/** Far above what any clause takes; a deadlock must not look like patience. */
const limitMs = 30_000;

interface JudgedExport {
  readonly export: OutsideExport;
  readonly name: string;
  readonly clauses: readonly ClauseResult[];
}

export interface ContractDocument {
  readonly module: string;
  readonly holds: boolean;
  readonly contracts: readonly JudgedExport[];
}

interface Ports {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Judge = (modulePath: string, ports: Ports) => Promise<Omit<JudgedExport, "export">>;

const judges: Readonly<Record<OutsideExport, Judge>> = {
  stateSystem: judgeSystem,
  storageEngine: judgeEngine,
  workload: judgeWorkload,
  platform: judgePlatform,
  experiment: judgeExperiment,
};

/** The exit code: 0 all clauses hold, 5 one is broken. Rejects with `ConfigError` for an unusable module. */
export async function contract(options: {
  readonly path: string;
  readonly json: boolean;
}): Promise<number> {
  const modulePath = resolve(options.path);
  const exported = await importOutside(modulePath);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const ports = { clock: createSystemClock(), signal: stop.signal };
    const contracts: JudgedExport[] = [];
    for (const [name, judgeExport] of Object.entries(judges) as [OutsideExport, Judge][])
      if (exported[name] !== undefined)
        contracts.push({ export: name, ...(await judgeExport(modulePath, ports)) });
    if (stop.signal.aborted) return exitCodes.interrupted;
    const verdicts = contracts.flatMap(({ clauses }) => clauses);
    const holds = verdicts.every(({ outcome }) => outcome !== "broken");
    const document: ContractDocument = { module: options.path, holds, contracts };
    console.log(options.json ? JSON.stringify(document, undefined, 2) : format(document));
    return holds ? exitCodes.ok : exitCodes.violation;
  } finally {
    stop.dispose();
  }
}

/** All of them, or those before somebody wanted a stop. */
async function judged<Subject>(
  { clock, signal }: Ports,
  clauses: readonly ContractClause<Subject>[],
  subject: Subject,
): Promise<ClauseResult[]> {
  const results: ClauseResult[] = [];
  for (const clause of clauses)
    if (!signal.aborted)
      results.push(...(await checkContract({ clauses: [clause], subject, clock, limitMs })));
  return results;
}

/** Opens, judges, closes; a subject that cannot be opened or closed breaks a clause of its own. */
async function judgeOpened<Subject>(
  ports: Ports,
  clauses: readonly ContractClause<Subject>[],
  open: () => Promise<{ readonly subject: Subject; readonly cleanUp: () => Promise<void> }>,
): Promise<ClauseResult[]> {
  let opened: Awaited<ReturnType<typeof open>>;
  try {
    opened = await open();
  } catch (error) {
    return [{ name: "opens", outcome: "broken", reason: describeError(error) }];
  }
  const { subject, cleanUp } = opened;
  const verdicts = await judged(ports, clauses, subject);
  try {
    await cleanUp();
    return [...verdicts, { name: "closes", outcome: "kept" }];
  } catch (error) {
    return [...verdicts, { name: "closes", outcome: "broken", reason: describeError(error) }];
  }
}

async function judgeEngine(modulePath: string, ports: Ports) {
  const outside = await loadOutside([modulePath]);
  const [[name, { shared }] = ["", { shared: false }]] = outside.engines;
  const open = async () => {
    const store = await startOutsideStore(modulePath);
    const again = () => openStorage({ target: store.target }, ports);
    return { engine: await again(), again, cleanUp: () => store.stop() };
  };
  const clauses = await judgeOpened(
    ports,
    [
      ...storageContract,
      {
        name: "is called, and shared, as its module says",
        check: async ({ again }) => {
          const engine = await again?.();
          await engine?.close();
          assert.deepEqual([engine?.name, engine?.capabilities.shared], [name, shared]);
        },
      },
    ],
    () => openStorageSubject(open),
  );
  return { name, clauses };
}

/** Over LMDB, as a system from outside is given a store. */
async function judgeSystem(modulePath: string, ports: Ports) {
  const module = await loadStateSystem({ system: modulePath, modulePath });
  const clauses = await judgeOpened(ports, stateContract, async () => {
    const store = await startStorageService("lmdb");
    const options = { storage: { target: store.target } };
    try {
      const { subject, cleanUp } = await openStateContract({
        promises: module.promisesWith?.(options) ?? module.promises,
        clock: ports.clock,
        open: () => module.open(options),
      });
      return {
        subject,
        cleanUp: async () => {
          await cleanUp();
          await store.stop();
        },
      };
    } catch (error) {
      await store.stop();
      throw error;
    }
  });
  return { name: module.name, clauses };
}

async function judgePlatform(modulePath: string, ports: Ports) {
  const module = await loadPlatform(modulePath);
  const clauses = await judgeOpened(ports, platformContract, () =>
    openPlatformSubject(() => module.create({ clock: ports.clock })),
  );
  return { name: module.name, clauses };
}

async function judgeWorkload(modulePath: string, ports: Ports) {
  const module = await loadWorkload(modulePath);
  const subject = { create: (seed: number) => module.create(module.parameters, seed) };
  const clauses = await judged(ports, workloadContract, subject);
  return { name: module.name, clauses };
}

async function judgeExperiment(modulePath: string, ports: Ports) {
  const definition = await loadExperiment(modulePath);
  const outside = await loadOutside([modulePath]);
  const subject = {
    definition,
    known: knownLevels(outside),
    withModulePaths: (cells: Parameters<typeof withModulePaths>[0]) =>
      withModulePaths(cells, outside),
  };
  const clauses = await judged(ports, experimentContract, subject);
  return { name: definition.id, clauses };
}

function format({ module, contracts, holds }: ContractDocument): string {
  const marks = { kept: "  kept    ", "not for it": "  -       ", broken: "  BROKEN  " };
  const lines = contracts.flatMap(({ export: kind, name, clauses }) => {
    const broken = clauses.filter(({ outcome }) => outcome === "broken").length;
    const verdict = broken === 0 ? "keeps its contract" : `breaks ${broken} of ${clauses.length}`;
    return [
      `${kind} ${name}: ${verdict}`,
      ...clauses.map((clause) => {
        const why = "reason" in clause ? `\n            ${firstLines(clause.reason)}` : "";
        return `${marks[clause.outcome]}${clause.name}${why}`;
      }),
    ];
  });
  return [...lines, `${module}: ${holds ? "every clause holds" : "NOT every clause holds"}`].join(
    "\n",
  );
}

/** Assertions print differences over many lines. */
function firstLines(reason: string): string {
  const lines = reason.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, 6).join("\n            ");
}
