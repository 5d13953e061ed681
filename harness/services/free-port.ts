import { createServer } from "node:net";

/**
 * A TCP port that was free on loopback a moment ago; the caller tries again if it is taken.
 *
 * @param atMost  For servers that need a higher one too.
 */
export async function freePort(atMost = 65_535): Promise<number> {
  for (;;) {
    const port = await anyFreePort();
    if (port <= atMost) return port;
  }
}

function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("the probe has no port"));
      });
    });
  });
}
