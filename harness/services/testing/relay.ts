/** @module For tests: a port in front of a server, which can lose what the server answers. */
import { connect, createServer, type Socket } from "node:net";

export interface Relay {
  readonly port: number;
  /** From now on, the first answer on each connection that is open is dropped, and the connection with it. */
  loseAnswers(): void;
  /** The answer to the next message with this text, on whichever connection, and that connection. */
  loseAnswerTo(text: string): void;
  stop(): Promise<void>;
}

/** On loopback, to a port on loopback. */
export async function startRelay(target: number): Promise<Relay> {
  const open = new Map<Socket, { loses: boolean }>();
  let lostAfter: string | undefined;
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    const state = { loses: false };
    open.set(near, state);
    const end = (): void => {
      open.delete(near);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.setNoDelay(true).on("error", end).on("close", end);
    near.on("data", (bytes) => {
      if (lostAfter !== undefined && bytes.includes(lostAfter)) {
        lostAfter = undefined;
        state.loses = true;
      }
      far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (state.loses) end();
      else near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the relay has no port");
  return {
    port: address.port,
    loseAnswers: () => {
      for (const state of open.values()) state.loses = true;
    },
    loseAnswerTo: (text) => {
      lostAfter = text;
    },
    stop: () =>
      new Promise((resolve) => {
        for (const near of open.keys()) near.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}
