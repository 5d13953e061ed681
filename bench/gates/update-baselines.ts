/**
 * @module `npm run baseline:update`: writes what the exact run counts now. The only thing that does; what
 * it changed is reviewed as a diff, in a commit of its own that says why.
 */
import { exactBaselinePath, writeExactBaseline } from "./baselines.ts";
import { runExact } from "./exact-run.ts";

const run = await runExact();
if (run.notRun.length > 0) {
  // A baseline with holes would let a regression through wherever the missing store is installed.
  for (const { what, get } of run.notRun) process.stderr.write(`needed: ${what}: ${get}\n`);
  process.exitCode = 2;
} else {
  await writeExactBaseline(run);
  process.stdout.write(`${exactBaselinePath}\nreview it: git diff results/baselines\n`);
}
