/** @module The formats there are: one line each. Order is order of detection. */
import { awdit } from "./awdit.ts";
import { cobra } from "./cobra.ts";
import { dbcopBincode } from "./dbcop-bincode.ts";
import { dbcopHist } from "./dbcop-hist.ts";
import { dbcopCompactJson, dbcopJson } from "./dbcop-json.ts";
import { elleEdn } from "./elle-edn.ts";
import { elleJson } from "./elle-json.ts";
import type { HistoryFormat } from "./format.ts";
import { plume } from "./plume.ts";
import { recorded } from "./recorded.ts";

const formats: readonly HistoryFormat[] = [
  plume,
  recorded,
  elleJson,
  dbcopJson,
  dbcopCompactJson,
  elleEdn,
  dbcopHist,
  cobra,
  dbcopBincode,
  awdit,
];

export const formatNames: readonly string[] = formats.map(({ name }) => name);

/** Undefined for an unknown name. */
export function formatOf(name: string): HistoryFormat | undefined {
  return formats.find((format) => format.name === name);
}

/** The format of an input that begins so, by its content alone; undefined if it looks like none. */
export function detectFormat(head: Uint8Array): HistoryFormat | undefined {
  return formats.find((format) => format.sniff(head));
}

export function allFormats(): readonly HistoryFormat[] {
  return formats;
}
