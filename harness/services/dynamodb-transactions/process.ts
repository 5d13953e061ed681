/** @module Process entry: DynamoDB's transactions, on loopback, in front of the store named by the argument. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { exitWithParent } from "../child.ts";
import { createFront } from "./front.ts";

const [upstream] = process.argv.slice(2);
if (upstream === undefined) {
  process.stderr.write("usage: process.ts http://127.0.0.1:PORT\n");
  process.exit(2);
}

exitWithParent(() => {
  process.exit(0);
});
process.on("SIGTERM", () => {
  process.exit(0);
});

const server = createFront({ upstream, clock: createSystemClock() });
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the front has no port");
  process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${address.port}` })}\n`);
});
