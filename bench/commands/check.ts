/**
 * @module `aft-bench check`: does any commit order explain this history at level RC, RA, CC, …?
 *
 * Judges histories of this suite and of others. Results go to stdout, one line per level or one JSON
 * document; what cannot be read is said on stderr with its place, and gets no verdict.
 */
import { writeFile } from "node:fs/promises";
import { ConfigError, type ProjectError } from "#kit/errors.ts";
import { check as judge } from "#harness/checker/check.ts";
import { drawWitness } from "#harness/checker/draw.ts";
import { DuplicateWriteError, HistoryTooLargeError } from "#harness/checker/errors.ts";
import { FormatError } from "#harness/checker/formats/format.ts";
import { type Level, levels, type Verdict, type Witness } from "#harness/checker/witness.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { formatColumns } from "#bench/text.ts";
import {
  findHistories,
  type HistorySource,
  loadHistory,
  type LoadedHistory,
} from "./check-input.ts";

export interface CheckRequest {
  readonly files: readonly string[];
  /** `rc`, `ra,cc`, `all`; repeatable. */
  readonly levels: readonly string[];
  readonly format?: string;
  readonly json: boolean;
  readonly explain: boolean;
  readonly svg?: string;
  /** Bound of the search for PC, SI and SER. */
  readonly states?: number;
}

/** The document of `check --json`: one, or an array of them for several histories. */
export interface CheckDocument {
  readonly file: string;
  readonly format: string;
  readonly sessions: number;
  readonly transactions: number;
  readonly operations: number;
  readonly verdicts: Readonly<Partial<Record<Level, Verdict["kind"]>>>;
  /** Of the weakest level that is violated; null if none is. */
  readonly witness: ({ readonly level: Level } & Witness) | null;
  /** Why not, of each undecided level. */
  readonly undecided: Readonly<Partial<Record<Level, string>>>;
  readonly notes: readonly string[];
}

/** A history that got no verdict. */
interface BadInput {
  readonly file: string;
  readonly error: string;
  readonly message: string;
}

/** CC needs time and memory by sessions × transactions: about a quarter of a minute and 1 GB at this. */
const maxCausalWork = 600_000_000;

type CheckOptions = Parameters<typeof judge>[1];

const defaultLevels: readonly Level[] = ["rc", "ra", "cc"];

/** The exit code; rejects with `ConfigError` before anything is judged. */
export async function check(request: CheckRequest): Promise<number> {
  const asked = parseLevels(request.levels);
  const sources = await findHistories(request.files, request.format);
  if (request.svg !== undefined && sources.length > 1)
    throw new ConfigError([{ where: "--svg", what: "draws one history; give one FILE" }]);
  const { states } = request;
  const limits = states !== undefined && { limits: { frontierStates: states } };
  const documents: (CheckDocument | BadInput)[] = [];
  for (const source of sources) {
    const document = await checkOne(source, { levels: asked, ...limits });
    documents.push(document);
    if ("error" in document) console.error(document.message);
    else if (!request.json) console.log(formatDocument(document, request.explain));
  }
  const [only] = documents;
  if (request.json && !(documents.length === 1 && only !== undefined && "error" in only))
    console.log(JSON.stringify(documents.length === 1 ? only : documents, undefined, 2));
  if (request.svg !== undefined && only !== undefined) await draw(request.svg, only);
  return exitCodeOf(documents);
}

async function checkOne(
  source: HistorySource,
  asked: CheckOptions,
): Promise<CheckDocument | BadInput> {
  try {
    return describe(source.label, await loadHistory(source), asked);
  } catch (error) {
    if (!isBadInput(error)) throw error;
    return { file: source.label, error: error.code, message: error.message };
  }
}

function describe(file: string, loaded: LoadedHistory, asked: CheckOptions): CheckDocument {
  const { history, format, notes, gaps } = loaded;
  const work = history.sessionCount * history.transactionCount;
  const isTooWide = work > maxCausalWork;
  // PC, SI and SER begin with CC.
  const feasible = asked.levels.filter((level) => !isTooWide || level === "rc" || level === "ra");
  const found: Partial<Record<Level, Verdict>> = {
    ...judge(history, { ...asked, levels: feasible }),
  };
  const reason = `too large: ${history.sessionCount} sessions × ${history.transactionCount} transactions`;
  for (const level of asked.levels) found[level] ??= { kind: "undecided", reason };
  const verdicts: Partial<Record<Level, Verdict["kind"]>> = {};
  const undecided: Partial<Record<Level, string>> = {};
  let witness: CheckDocument["witness"] = null;
  for (const level of levels) {
    const verdict = found[level];
    if (verdict === undefined) continue;
    verdicts[level] = verdict.kind;
    if (verdict.kind === "violation") witness ??= { level, ...verdict.witness };
    if (verdict.kind === "undecided") undecided[level] = verdict.reason;
    if (verdict.kind === "pass" && gaps !== undefined) {
      verdicts[level] = "undecided";
      undecided[level] = `no violation, but ${gaps}`;
    }
  }
  return {
    file,
    format,
    sessions: history.sessionCount,
    transactions: history.transactionCount - 1,
    operations: history.operationCount,
    verdicts,
    witness,
    undecided,
    notes,
  };
}

function formatDocument(document: CheckDocument, explain: boolean): string {
  const { file, format, sessions, transactions, operations, verdicts, undecided } = document;
  const lines = [
    `${file} (${format}): ${operations} operations, ${transactions} transactions, ${sessions} sessions`,
  ];
  const rows = (Object.entries(verdicts) as [Level, Verdict["kind"]][]).map(([level, verdict]) => {
    const why = undecided[level];
    const title = document.witness?.level === level ? document.witness.title : undefined;
    return [`  ${level}`, verdict, why ?? title ?? ""];
  });
  lines.push(formatColumns(rows), ...document.notes.map((note) => `  note: ${note}`));
  if (document.witness !== null)
    lines.push(explain ? `\n${document.witness.explanation}\n` : "  --explain shows the witness");
  return lines.join("\n");
}

async function draw(path: string, document: CheckDocument | BadInput): Promise<void> {
  if ("error" in document) return;
  if (document.witness === null) {
    console.error(`${path} was not written: there is no violation to draw`);
    return;
  }
  try {
    await writeFile(path, drawWitness(document.witness));
  } catch (cause) {
    throw new ConfigError([{ where: "--svg", what: `cannot write ${path}` }], { cause });
  }
}

function parseLevels(given: readonly string[]): Level[] {
  const names = given.flatMap((text) => text.split(",")).map((name) => name.trim());
  if (names.length === 0) return [...defaultLevels];
  if (names.includes("all")) return [...levels];
  const unknown = names.filter((name) => !(levels as readonly string[]).includes(name));
  if (unknown.length > 0) {
    const hint = `known: ${levels.join(", ")}, all`;
    throw new ConfigError(
      unknown.map((name) => ({ where: "--level", what: `unknown level "${name}"`, hint })),
    );
  }
  return levels.filter((level) => names.includes(level));
}

function isBadInput(error: unknown): error is ProjectError {
  return (
    error instanceof ConfigError ||
    error instanceof FormatError ||
    error instanceof DuplicateWriteError ||
    error instanceof HistoryTooLargeError
  );
}

/** A proven violation says most; then what could not be read; then what could not be decided. */
function exitCodeOf(documents: readonly (CheckDocument | BadInput)[]): number {
  const verdicts = documents.flatMap((one) => ("error" in one ? [] : Object.values(one.verdicts)));
  if (verdicts.includes("violation")) return exitCodes.violation;
  if (documents.some((one) => "error" in one)) return exitCodes.usage;
  return verdicts.includes("undecided") ? exitCodes.inconclusive : exitCodes.ok;
}
