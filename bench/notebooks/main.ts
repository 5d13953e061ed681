/**
 * @module `npm run notebooks`: executes the notebooks on a record.
 *
 *   (no flag)    on the small record in the repository; writes the outputs into the notebooks
 *   --runs DIR   on the results in DIR; executed copies go to DIR/notebooks-executed, the repository's stay as they are
 *   --check      on the small record; writes nothing, and fails (exit 99) where outputs differ
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { NotAvailableError } from "#kit/errors.ts";
import { openRecord } from "#harness/report/open-record.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { reportFailure } from "#bench/failure.ts";
import { executeNotebooks, ExecutionError, findDeno, requireJupyter } from "./kernel.ts";
import {
  firstDifference,
  type Notebook,
  normalised,
  notebookText,
  parseNotebook,
  silentCells,
} from "./notebook-file.ts";

const folder = "results/notebooks";
const smallRecord = "results/reference-small";
/** The kernel drops an output when its reader is slower than it: then the notebook is executed again. */
const mostExecutions = 4;

try {
  process.exitCode = await notebooks();
} catch (error) {
  if (error instanceof NotAvailableError) {
    console.log(`notebooks: not run, ${error.why}; ${error.get}`);
    process.exitCode = exitCodes.usage;
  } else {
    process.exitCode = reportFailure(error, (text) => {
      console.error(text);
    });
  }
}

async function notebooks(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: "string" },
      check: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
    },
  });
  const { runs, check, only } = values;
  const record = resolve(runs ?? smallRecord);
  // A damaged record is said once, before a kernel is started for each notebook.
  await openRecord(record);
  const deno = findDeno();
  await requireJupyter();
  const target = runs === undefined ? folder : join(record, "notebooks-executed");
  await mkdir(target, { recursive: true });
  const names = (await readdir(folder))
    .filter((name) => name.endsWith(".ipynb"))
    .filter((name) => only === undefined || only.some((part) => name.includes(part)))
    .toSorted();
  let different = 0;
  for (const [name, now] of await executeAll(names, { record, deno })) {
    if (check) {
      const kept = normalised(parseNotebook(await readFile(join(folder, name), "utf8"), name));
      const difference = firstDifference(kept, now);
      if (difference !== undefined) different += 1;
      console.log(`${name}: ${difference ?? "the same"}`);
    } else {
      await writeFile(join(target, name), notebookText(now));
      console.log(join(target, name));
    }
  }
  return different === 0 ? exitCodes.ok : exitCodes.thresholdMissed;
}

async function executeAll(
  names: readonly string[],
  options: { readonly record: string; readonly deno: string },
): Promise<ReadonlyMap<string, Notebook>> {
  const executed = new Map<string, Notebook>();
  let missing = names;
  for (let turn = 0; turn < mostExecutions && missing.length > 0; turn += 1) {
    const paths = missing.map((name) => resolve(join(folder, name)));
    for (const [name, content] of await executeNotebooks({ paths, ...options })) {
      const now = normalised(parseNotebook(content, name));
      if (silentCells(now).length === 0) executed.set(name, now);
    }
    missing = names.filter((name) => !executed.has(name));
  }
  if (missing.length > 0)
    throw new ExecutionError(`outputs of ${missing.join(", ")} were lost ${mostExecutions} times`);
  return new Map(names.flatMap((name) => [...executed].filter(([known]) => known === name)));
}
