/** @module For tests: a process that starts a service, says what it has started, and waits to be killed. */
import { startStorageService, storageServiceNames } from "../registry.ts";

const name = storageServiceNames.find((known) => known === process.argv[2]);
if (name === undefined) throw new RangeError(`no service "${process.argv[2]}"`);
const { pids } = await startStorageService(name);
process.stdout.write(`${JSON.stringify({ pids })}\n`);
setInterval(() => {}, 1_000);
