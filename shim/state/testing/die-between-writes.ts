/** @module For tests: a process that opens a system, writes one key, says so, and waits to be killed. */
import { openStateSystem, type StateSystemSpec } from "../registry.ts";

const { spec, key } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly spec: StateSystemSpec;
  readonly key: string;
};
const system = await openStateSystem(spec);
await system.begin({ requestId: "dies" }).put(key, Buffer.from("half"));
process.stdout.write("written\n");
setInterval(() => {}, 1_000);
