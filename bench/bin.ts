#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=16
/**
 * @module What `npx aft-bench` starts. Looks at the runtime before anything is loaded that needs a newer one.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) await import("./cli.ts");
else {
  process.stderr.write(
    `aft-bench needs Node 22.18 or newer, and this is ${process.versions.node}\n` +
      "  npx aft-bench takes the Node 24 that was installed with it, on Linux and Windows\n",
  );
  process.exitCode = 2;
}
