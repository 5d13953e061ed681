/** @module A TCP relay in front of a server that can lose an answer: what was asked is done, and nobody hears. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface LossyRelay {
  readonly port: number;
  /** The next answer ends its connection instead of arriving. */
  loseNextAnswer(): void;
  stop(): Promise<void>;
}

export async function startLossyRelay(serverPort: number): Promise<LossyRelay> {
  const sockets = new Set<Socket>();
  let isLosing = false;
  const relay = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => {
      if (!isLosing) {
        client.write(chunk);
        return;
      }
      isLosing = false;
      end();
    });
  });
  await new Promise<void>((resolve) => {
    relay.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (relay.address() as AddressInfo).port,
    loseNextAnswer: () => {
      isLosing = true;
    },
    stop: () =>
      new Promise((resolve) => {
        relay.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
