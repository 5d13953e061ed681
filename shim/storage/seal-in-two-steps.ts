/**
 * @module `putSealed` for engines that cannot do it in one request: all data, then the seals.
 *
 * The order is what makes it safe: a seal is written only after every one of its entries was
 * acknowledged. Two round trips, however many groups.
 */
import { StorageError } from "./errors.ts";
import type { SealedWrite, SealOutcome, StorageEngine } from "./port.ts";

/** What the helper needs of an engine. */
type TwoStepEngine = Pick<StorageEngine, "multiPut" | "putIfAbsent">;

/** Never rejects with a `StorageError`; anything else is a mistake and is passed on. */
export async function sealInTwoSteps(
  engine: TwoStepEngine,
  groups: readonly SealedWrite[],
): Promise<SealOutcome[]> {
  const failures = await writeData(engine, groups);
  return Promise.all(
    groups.map((group, index) => {
      const failure = failures[index];
      return failure === undefined ? writeSeal(engine, group) : Promise.resolve(failure);
    }),
  );
}

/** One batch for all; if it fails, group by group, so that one bad group does not fail the rest. */
async function writeData(
  engine: TwoStepEngine,
  groups: readonly SealedWrite[],
): Promise<(SealOutcome | undefined)[]> {
  const entries = groups.flatMap((group) => group.entries);
  if (entries.length === 0) return groups.map(() => undefined);
  try {
    await engine.multiPut(entries);
    return groups.map(() => undefined);
  } catch (error) {
    if (groups.length === 1) return [failed(error)];
  }
  return Promise.all(
    groups.map(async (group) => {
      try {
        await engine.multiPut(group.entries);
        return undefined;
      } catch (error) {
        return failed(error);
      }
    }),
  );
}

async function writeSeal(engine: TwoStepEngine, { seal }: SealedWrite): Promise<SealOutcome> {
  try {
    return (await engine.putIfAbsent(seal.key, seal.value))
      ? { kind: "sealed" }
      : { kind: "alreadySealed" };
  } catch (error) {
    if (error instanceof StorageError) return { kind: "failed", error };
    throw error;
  }
}

/** Data that may or may not be there does no harm: the seal surely is not. */
function failed(error: unknown): SealOutcome {
  if (!(error instanceof StorageError)) throw error;
  return { kind: "failed", error: error.withoutEffect() };
}
