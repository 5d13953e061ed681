import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { encodeCommand } from "#kit/node/encoded-command.ts";
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
      else if (/^(client|aft\.later)$/i.test(name)) socket.write("+OK\r\n");
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
  const connection = AftConnection.create({ endpoint, timeoutMs: 400 });
  cleanUp.push(() => {
    connection.close();
  });
  await connection.ready();
  const first = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(first).resolves.toMatchObject({ code: "replica_unreachable" });
  const second = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(second).resolves.toMatchObject({ code: "replica_unreachable" });
});

it("sends what was asked for before the connection was there, in order, credentials first", async () => {
  const names: string[] = [];
  const endpoint = await listen((socket) => {
    answer(socket, (command) => {
      names.push(command);
      socket.write("+OK\r\n");
    });
  });
  const connection = AftConnection.create({ endpoint, username: "bench", password: "secret" });
  cleanUp.push(() => {
    connection.close();
  });
  await Promise.all([connection.send("first", []), connection.send("second", ["x"])]);
  expect(names).toEqual(["auth", "first", "second"]);
});

it("rejects all that waits, with the replica's words, when credentials are refused", async () => {
  const endpoint = await listen((socket) => {
    answer(socket, () => socket.write("-WRONGPASS invalid username-password pair\r\n"));
  });
  const connection = AftConnection.create({ endpoint, password: "wrong" });
  const sent = connection.send("aft.get", ["transaction", "key"]).catch(toStateError);
  await expect(connection.ready()).rejects.toThrow("WRONGPASS");
  await expect(sent).resolves.toMatchObject({ message: expect.stringMatching("WRONGPASS") });
});

it.each(["HTTP/1.1 400 Bad Request\r\n", ":1\r\n:2\r\n"])(
  "gives a connection up that answers %j to one question",
  async (nonsense) => {
    const endpoint = await listen((socket) => {
      answer(socket, () => socket.write(nonsense));
    });
    const connection = AftConnection.create({ endpoint });
    cleanUp.push(() => {
      connection.close();
    });
    const first = connection.send("ping", []);
    if (nonsense.startsWith(":")) await expect(first).resolves.toBe(1);
    else
      await expect(first.catch(toStateError)).resolves.toMatchObject({
        code: "replica_unreachable",
      });
    const second = connection.send("ping", []).catch(toStateError);
    await (nonsense.startsWith(":")
      ? expect(second).resolves.toBe(1)
      : expect(second).resolves.toMatchObject({ code: "replica_unreachable" }));
  },
);

it("keeps what the kernel did not take at once as it was", async () => {
  const received = createHash("sha256");
  let bytes = 0;
  const expected = createHash("sha256");
  const greeting = encodeCommand("aft.later", []);
  expected.update(greeting);
  const values = Array.from({ length: 300 }, (_unused, index) => Buffer.alloc(65_536, index));
  for (const value of values)
    expected.update(encodeCommand("aft.set", ["transaction", "key", value]));
  const total =
    greeting.length +
    values.length * encodeCommand("aft.set", ["transaction", "key", Buffer.alloc(65_536)]).length;
  let onAll = (): void => {};
  const all = new Promise<void>((resolve) => {
    onAll = resolve;
  });
  const endpoint = await listen((socket) => {
    // Reading begins when everything was written.
    setTimeout(() => {
      socket.on("data", (chunk) => {
        received.update(chunk);
        bytes += chunk.length;
        if (bytes >= total) onAll();
      });
    }, 100);
  });
  const connection = AftConnection.create({ endpoint });
  cleanUp.push(() => {
    connection.close();
  });
  await connection.ready();
  for (const value of values) {
    connection.send("aft.set", ["transaction", "key", value]).catch(() => {});
    await Promise.resolve();
  }
  await all;
  expect(received.digest("hex")).toBe(expected.digest("hex"));
});

it("rejects what is sent after it was closed", async () => {
  const endpoint = await listen(() => {});
  const connection = AftConnection.create({ endpoint });
  await connection.ready();
  const waits = connection.send("ping", []).catch(toStateError);
  connection.close();
  await expect(waits).resolves.toMatchObject({ code: "replica_unreachable" });
  await expect(connection.send("ping", []).catch(toStateError)).resolves.toMatchObject({
    code: "replica_unreachable",
  });
});

it("answers a read while a commit before it waits for storage, and each with what is its own", async () => {
  let client: Socket | undefined;
  const endpoint = await listen((socket) => {
    client = socket;
    answer(socket, (command) =>
      socket.write(command === "aft.commit" ? "+LATER\r\n" : "$1\r\nv\r\n"),
    );
  });
  const connection = await AftConnection.open({ endpoint });
  cleanUp.push(() => {
    connection.close();
  });
  const commits = [1, 2].map(() => connection.send("aft.commit", ["transaction"]));
  await expect(connection.send("aft.get", ["transaction", "key"])).resolves.toEqual(
    Buffer.from("v"),
  );
  client?.write(">2\r\n:2\r\n-AFT_ABORTED no\r\n>2\r\n:1\r\n:7\r\n");
  await expect(commits[1]).rejects.toThrow("AFT_ABORTED no");
  await expect(commits[0]).resolves.toBe(7);
});

it("rejects an answer that was announced when the connection ends, or when it does not come", async () => {
  const endpoint = await listen((socket, number) => {
    answer(socket, (command) => {
      if (command === "aft.commit") socket.write("+LATER\r\n");
      else if (number === 1) socket.destroy();
    });
  });
  const connection = await AftConnection.open({ endpoint, timeoutMs: 300 });
  cleanUp.push(() => {
    connection.close();
  });
  const lost = connection.send("aft.commit", ["transaction"]).catch(toStateError);
  connection.send("ping", []).catch(() => {});
  await expect(lost).resolves.toMatchObject({ code: "replica_unreachable" });
  const late = connection.send("aft.commit", ["transaction"]).catch(toStateError);
  await expect(late).resolves.toMatchObject({
    message: expect.stringMatching("no answer in 300 ms"),
  });
});

it.each([">2\r\n:1\r\n:7\r\n", ">1\r\n:1\r\n"])(
  "gives a connection up that pushes %j",
  async (push) => {
    const endpoint = await listen((socket) => {
      answer(socket, () => socket.write(push));
    });
    const connection = await AftConnection.open({ endpoint });
    cleanUp.push(() => {
      connection.close();
    });
    await expect(connection.send("ping", [])).rejects.toThrow("a late answer to nothing");
  },
);

it("serves with a replica that answers in order only", async () => {
  const endpoint = await listen((socket) => {
    socket.on("data", (chunk) => {
      for (const [, name = ""] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n([^\r]*)\r\n/g))
        socket.write(name === "aft.later" ? "-ERR unknown command\r\n" : ":7\r\n");
    });
  });
  const connection = await AftConnection.open({ endpoint });
  cleanUp.push(() => {
    connection.close();
  });
  await expect(connection.send("aft.commit", ["transaction"])).resolves.toBe(7);
});

it("says so where nobody listens", async () => {
  const connection = AftConnection.create({ endpoint: "127.0.0.1:1" });
  await expect(connection.ready()).rejects.toMatchObject({ code: "replica_unreachable" });
});

it("counts a replica's silence from when an answer is due, not from before", async () => {
  const endpoint = await listen((socket) => {
    answer(socket, (command) => {
      setTimeout(() => socket.write("+OK\r\n"), command === "first" ? 0 : 300);
    });
  });
  const connection = AftConnection.create({ endpoint, timeoutMs: 2_000 });
  cleanUp.push(() => {
    connection.close();
  });
  await connection.send("first", []);
  await sleep(1_900);
  await expect(connection.send("second", [])).resolves.toBe("OK");
});
