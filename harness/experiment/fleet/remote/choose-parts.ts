/**
 * @module Which records make a fleet's run: each part once, all of one plan. Pure.
 *
 * Refusing what does not belong together is one thing, and judged here; a part that was late, stalled or lost
 * makes a run invalid, which is another (`merge.ts`).
 */
import { DuplicatePartError, ForeignPartError, MissingPartError, partName } from "./errors.ts";
import {
  isSameContent,
  partFile,
  partFolder,
  type PartRecord,
  readPartName,
  shortHash,
} from "./part.ts";

export interface FoundPart {
  readonly name: string;
  readonly record: PartRecord;
}

export interface ChosenParts {
  /** In the order of their indices. */
  readonly parts: readonly PartRecord[];
  /** Indices without a record; none unless that was allowed. */
  readonly missing: readonly number[];
}

/**
 * @param options.names  Of everything below `parts/`: what was begun and not finished is named.
 * @param options.found  Every `part.json` there.
 * @throws ForeignPartError, DuplicatePartError or MissingPartError, which name all parts of their kind
 */
export function chooseParts(options: {
  readonly planHash: string;
  readonly parts: number;
  readonly names: readonly string[];
  readonly found: readonly FoundPart[];
  readonly allowMissing?: boolean;
}): ChosenParts {
  const { planHash, parts: of, names, found, allowMissing = false } = options;
  refuseForeign(found, planHash, of);
  const byIndex = new Map<number, PartRecord[]>();
  for (const { record } of found)
    byIndex.set(record.index, [...(byIndex.get(record.index) ?? []), record]);
  refuseDuplicates(byIndex, of);
  const indices = Array.from({ length: of }, (_unused, index) => index);
  const missing = indices.filter((index) => !byIndex.has(index));
  if (missing.length > 0 && !(allowMissing && missing.length < of))
    throw new MissingPartError(
      missing.map((index) => `${partName(index, of)} is missing${begun(index, names)}`).join("; "),
    );
  return { parts: indices.flatMap((index) => byIndex.get(index)?.slice(0, 1) ?? []), missing };
}

function refuseForeign(found: readonly FoundPart[], planHash: string, of: number): void {
  const problems = found.flatMap(({ name, record }) => {
    const { index, attempt } = record;
    if (record.planHash !== planHash)
      return `${name} is of plan ${record.planHash.slice(0, 12)}, not of ${planHash.slice(0, 12)}`;
    if (index >= of || record.of !== of)
      return `${name} is ${partName(index, record.of)}; the plan has ${of}`;
    if (name !== `${partFolder(index, attempt)}/${partFile}`)
      return `${name} says that it is ${partName(index, of)}, attempt ${attempt}`;
    return [];
  });
  if (problems.length > 0) throw new ForeignPartError(problems.join("; "));
}

/** Attempts that came to the same bytes are one. */
function refuseDuplicates(byIndex: ReadonlyMap<number, readonly PartRecord[]>, of: number): void {
  const problems: string[] = [];
  for (const [index, [first, ...others]] of byIndex) {
    const other = others.find((one) => first !== undefined && !isSameContent(first, one));
    if (first === undefined || other === undefined) continue;
    const both = [first, other]
      .map((one) => `${partFolder(index, one.attempt)} (requests ${shortHash(one)})`)
      .join(" and ");
    problems.push(`${partName(index, of)} is there twice: ${both}; take one away`);
  }
  if (problems.length > 0) throw new DuplicatePartError(problems.join("; "));
}

function begun(index: number, names: readonly string[]): string {
  const attempts = new Set(
    names
      .map(readPartName)
      .filter((name) => name?.index === index)
      .map((name) => name?.attempt),
  );
  if (attempts.size === 0) return "";
  return ` (attempt ${[...attempts].join(", ")} ended while it was putting its record there)`;
}
