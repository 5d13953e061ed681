/**
 * @module The checker against the axioms on 120,000 small histories: `npm run nightly:checker-fuzz`.
 *
 * Arguments: count and seed. Prints what was reached; exit code 1 on any disagreement, with the history.
 */
import { fuzz } from "#harness/checker/testing/fuzz.ts";

const [count = "120000", seed = "1"] = process.argv.slice(2);
const tally = fuzz({
  seed: Number(seed),
  count: Number(count),
  progress: (done) => {
    if (done % 20_000 === 0) process.stderr.write(`${done} histories\n`);
  },
});
const { disagreements, ...reached } = tally;
console.log(
  JSON.stringify({ seed: Number(seed), ...reached, disagreements: disagreements.length }),
);
for (const text of disagreements.slice(0, 10)) console.log(text);
if (disagreements.length > 0 || tally.oversized > 0) process.exitCode = 1;
