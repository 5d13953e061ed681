/** @module Changes of known effect, for the self-test of the gates. */

/** A place in the committer that every committing transaction passes. */
export const mutatedFile = "shim/aft/replica/group-commit.ts";
const anchor = /^ {2}seal\(write: SealedWrite.*\{\n/m;

export const mutants = {
  oneCallMore: "    void this.#engine.get(write.seal.key);\n",
  twoMilliseconds:
    "    const untilUs = performance.now() + 2;\n    while (performance.now() < untilUs);\n",
} as const;

/** `undefined`: the text has no longer the place to mutate. */
export function mutate(text: string, inserted: string): string | undefined {
  const found = anchor.exec(text)?.[0];
  return found === undefined ? undefined : text.replace(found, found + inserted);
}
