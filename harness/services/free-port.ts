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

/** A port found free may be taken before a server binds it. */
const startAttempts = 5;

/** Starts a server on a free port, elsewhere if that fails; rejects with the last failure. */
export async function startOnFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (let attempt = 0; attempt < startAttempts; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
