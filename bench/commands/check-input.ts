/**
 * @module Files, directories and standard input as histories: opened in chunks, unpacked if gzipped,
 * told by their content. All effects of `check` on the way in are here.
 */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ConfigError, describeError } from "#kit/errors.ts";
import { DuplicateWriteError } from "#harness/checker/errors.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  type HistorySink,
  mostOperations,
  showPosition,
} from "#harness/checker/formats/format.ts";
import { detectFormat, formatNames, formatOf } from "#harness/checker/formats/registry.ts";
import { type History, HistoryBuilder } from "#harness/checker/history.ts";

/** One history: one file, or all of a format that has one file per session. */
export interface HistorySource {
  /** As the user named it. */
  readonly label: string;
  readonly paths: readonly string[];
  /** Known without looking; otherwise the content decides. */
  readonly format?: HistoryFormat;
}

export interface LoadedHistory {
  readonly format: string;
  readonly history: History;
  readonly notes: readonly string[];
  /** Why a pass would be no proof. */
  readonly gaps?: string;
}

const stdin = "-";
const headBytes = 65_536;
const chunkBytes = 1_048_576;
/** What a run directory holds, best first. */
const recordNames = ["transactions.ndjson.gz", "transactions.ndjson"];

/** Rejects with `ConfigError` for what is not there or not clear. */
export async function findHistories(
  files: readonly string[],
  formatName: string | undefined,
): Promise<HistorySource[]> {
  const format = formatName === undefined ? undefined : mustKnow(formatName);
  if (files.filter((file) => file === stdin).length > 1)
    throw new ConfigError([{ where: "FILE", what: "standard input can be read only once" }]);
  const sources: HistorySource[] = [];
  for (const file of files) sources.push(...(await sourcesOf(file, format)));
  return joinSessions(sources);
}

/** Rejects with `FormatError`, `DuplicateWriteError`, `HistoryTooLargeError` or `ConfigError`. */
export async function loadHistory(source: HistorySource): Promise<LoadedHistory> {
  const builder = new HistoryBuilder(mostOperations(await sizeOf(source)));
  const read = await readInto(source, builder, () => {});
  try {
    return { ...read, history: builder.build() };
  } catch (error) {
    if (!(error instanceof DuplicateWriteError) || source.paths.includes(stdin)) throw error;
    throw await located(error, source);
  }
}

/** Bytes of the files; 0 for what is not there, which reading will tell. */
async function sizeOf({ paths }: HistorySource): Promise<number> {
  let bytes = 0;
  for (const path of paths)
    if (path !== stdin) bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  return bytes;
}

async function sourcesOf(
  file: string,
  format: HistoryFormat | undefined,
): Promise<HistorySource[]> {
  const known = format !== undefined && { format };
  if (file === stdin) return [{ label: "standard input", paths: [stdin], ...known }];
  if (!(await isDirectory(file))) return [{ label: file, paths: [file], ...known }];
  const names = (await readdir(file, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .toSorted();
  const record = recordNames.find((name) => names.includes(name));
  if (record !== undefined && (format === undefined || format.name === "aft-bench"))
    return [{ label: file, paths: [join(file, record)], ...known }];
  if (names.includes("history.txt") && (format === undefined || format.name === "plume"))
    return [{ label: file, paths: [join(file, "history.txt")], ...known }];
  const logs = names.filter((name) => name.endsWith(".log"));
  const paths = (logs.length > 0 ? logs : names).map((name) => join(file, name));
  if (paths.length === 1 || (paths.length > 1 && format?.manyFiles === true))
    return [{ label: file, paths, ...known }];
  if (logs.length > 1 && format === undefined)
    return paths.map((path) => ({ label: file, paths: [path] }));
  const what = `${file} is a directory with ${paths.length} files, none of them a run's record`;
  throw new ConfigError([{ where: "FILE", what, hint: "name the file, or say --format" }]);
}

/** Files of a format with one file per session become one history. */
async function joinSessions(sources: readonly HistorySource[]): Promise<HistorySource[]> {
  const joined: HistorySource[] = [];
  let sessions: HistorySource | undefined;
  for (const source of sources) {
    const format = source.format ?? (sources.length > 1 ? await sniff(source) : undefined);
    if (format?.manyFiles !== true) joined.push(source);
    else if (sessions === undefined) {
      sessions = { ...source, format };
      joined.push(sessions);
    } else {
      const whole = { ...sessions, paths: [...sessions.paths, ...source.paths] };
      joined[joined.indexOf(sessions)] = whole;
      sessions = whole;
    }
  }
  return joined;
}

async function sniff({ paths }: HistorySource): Promise<HistoryFormat | undefined> {
  const [path = stdin] = paths;
  if (path === stdin) return undefined;
  for await (const chunk of chunksOf(path)) return detectFormat(chunk.subarray(0, headBytes));
  return undefined;
}

async function readInto(
  source: HistorySource,
  sink: HistorySink,
  onParser: (parser: HistoryParser, path: string) => void,
): Promise<Omit<LoadedHistory, "history">> {
  let format = source.format;
  const notes: string[] = [];
  let gaps: string | undefined;
  for (const path of source.paths) {
    const file = path === stdin ? "standard input" : path;
    const chunks = chunksOf(path)[Symbol.asyncIterator]();
    const head: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < headBytes) {
      const next = await chunks.next();
      if (next.done === true) break;
      head.push(next.value);
      bytes += next.value.length;
    }
    if (bytes === 0) throw new FormatError({ file, position: start, what: "the input is empty" });
    format ??= detectFormat(Buffer.concat(head).subarray(0, headBytes));
    if (format === undefined) {
      await chunks.return?.(undefined);
      throw new FormatError({ file, position: start, what: unknownFormat });
    }
    const name = source.paths.length > 1 ? basename(path) : file;
    const parser = format.parser({ file: name, sink });
    onParser(parser, name);
    try {
      for (const chunk of head) parser.feed(chunk);
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        parser.feed(next.value);
      parser.end();
    } finally {
      // Closes the file also after an error.
      await chunks.return?.(undefined);
    }
    notes.push(...(parser.notes?.() ?? []));
    gaps ??= parser.gaps?.();
  }
  return { format: format?.name ?? "", notes, ...(gaps !== undefined && { gaps }) };
}

const start = { line: 1, column: 1 };
const unknownFormat = `looks like none of the known formats; say which with --format (${formatNames.join(", ")})`;

/** The same error with the places of both writes: read again, because a history keeps none. */
async function located(error: DuplicateWriteError, source: HistorySource): Promise<Error> {
  let where = "";
  let parser: HistoryParser | undefined;
  let file = "";
  const places: string[] = [];
  let transactions = 0;
  const sink: HistorySink = {
    transaction: () => transactions++,
    setStatus: () => {},
    read: () => {},
    write: (_handle, key, value) => {
      if (String(key) !== error.key || String(value) !== error.value) return;
      where = parser === undefined ? "" : showPosition(parser.position());
      if (places.length < 2) places.push(`${file}:${where}`);
    },
  };
  await readInto(source, sink, (next, name) => {
    parser = next;
    file = name;
  });
  return new LocatedDuplicateError(error, places);
}

/** `DuplicateWriteError` for people: with the places of both writes. */
export class LocatedDuplicateError extends DuplicateWriteError {
  constructor(error: DuplicateWriteError, places: readonly string[]) {
    super(error);
    this.cause = error;
    const [first = "", second = first] = places;
    this.message = `${second}: ${error.message} (first written at ${first})`;
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const input: Readable =
    path === stdin ? process.stdin : createReadStream(path, { highWaterMark: chunkBytes });
  try {
    const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const first = await chunks.next();
    if (first.done === true) return;
    const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
    const all = rejoined(first.value, chunks);
    if (!isGzip) yield* all;
    else {
      const unpacked = createGunzip({ chunkSize: chunkBytes });
      // Errors of either reach whoever reads `unpacked`.
      pipeline(Readable.from(all), unpacked, () => {});
      yield* unpacked as AsyncIterable<Uint8Array>;
    }
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    input.destroy();
  }
}

async function* rejoined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function readError(path: string, cause: unknown): Error {
  const what = `cannot be read: ${describeError(cause)}`;
  return new ConfigError([{ where: path, what }], { cause });
}

function mustKnow(name: string): HistoryFormat {
  const format = formatOf(name);
  if (format !== undefined) return format;
  const hint = `known: ${formatNames.join(", ")}`;
  throw new ConfigError([{ where: "--format", what: `unknown format "${name}"`, hint }]);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new ConfigError([{ where: "FILE", what: `there is no ${path}` }], { cause });
  }
}
