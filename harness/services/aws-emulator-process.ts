/**
 * @module Process entry of the AWS emulators: `dynalite` (DynamoDB) or `fauxqs` (S3), on loopback.
 *
 * A process of its own, so that a measured emulator does not share the load generator's loop.
 */
import dynalite from "dynalite";
import { startFauxqs } from "fauxqs";
import { exitWithParent } from "./child.ts";

const [kind] = process.argv.slice(2);

exitWithParent(() => {
  process.exit(0);
});
process.on("SIGTERM", () => {
  process.exit(0);
});

if (kind === "dynalite") {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("dynalite has no port");
    announce(address.port);
  });
} else if (kind === "fauxqs") {
  // Without a host it would listen on every interface.
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  announce(server.port);
} else {
  process.stderr.write("usage: aws-emulator-process.ts dynalite|fauxqs\n");
  process.exit(2);
}

function announce(port: number): void {
  process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${port}` })}\n`);
}
