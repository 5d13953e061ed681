/**
 * @module Process entry: the Serverless command line in a process that ends with its parent.
 *
 * `argv` after the path of `serverless.js` is passed on as it is.
 */
import { pathToFileURL } from "node:url";

process.on("disconnect", () => {
  process.exit(0);
});
// A command line that has failed must end, although its parent is there.
process.channel?.unref();
process.on("SIGTERM", () => {
  process.exit(0);
});
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; the parent decides when this ends.
});
const [, , program = ""] = process.argv;
process.argv.splice(1, 1);
await import(pathToFileURL(program).href);
