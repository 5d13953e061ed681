import { createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { AftConnection, toStateError } from "./connection.ts";

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const step of cleanUp.splice(0)) step();
});

/** Takes every connection and hands it over; answers nothing by itself. */
async function listen(onConnection: (socket: Socket, number: number) => void): Promise<string> {
  let number = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    number += 1;
    onConnection(socket, number);
  });
  cleanUp.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

/** Answers the library's greetings, and leaves the rest to `onCommand`. */
function answer(socket: Socket, onCommand: (name: string) => void): void {
  socket.on("data", (chunk) => {
    for (const [, name = ""] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n([^\r]*)\r\n/g))
      if (/^hello$/i.test(name)) socket.write("*2\r\n$5\r\nproto\r\n:2\r\n");
      else if (/^client$/i.test(name)) socket.write("+OK\r\n");
      else onCommand(name);
  });
}

it("rejects what was sent and not answered when the connection ends, however soon there is another", async () => {
  const endpoint = await listen((socket, number) => {
    answer(socket, (command) => {
      if (number === 1) socket.destroy();
      else if (command === "ping") socket.write("$4\r\nPONG\r\n");
    });
  });
  const connection = AftConnection.create({ endpoint });
  cleanUp.push(() => {
    connection.close();
  });
  await connection.ready();
  const lost = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(lost).resolves.toMatchObject({ code: "replica_unreachable", disposition: "retry" });
  // And is usable again.
  await expect(connection.send("ping", [])).resolves.toEqual(Buffer.from("PONG"));
});

it("rejects what a silent replica does not answer in time", async () => {
  const endpoint = await listen((socket) => {
    answer(socket, () => {});
  });
  const connection = AftConnection.create({ endpoint, timeoutMs: 100 });
  cleanUp.push(() => {
    connection.close();
  });
  await connection.ready();
  const first = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(first).resolves.toMatchObject({ code: "replica_unreachable" });
  const second = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(second).resolves.toMatchObject({ code: "replica_unreachable" });
});
