/**
 * Goal    What a command keeps outlives the bytes it came in: values, keys, ids, queued commands.
 * Method  All commands through one small buffer that is written over after each of them, on a real
 *         replica, against a map.
 * Replay  SEED=<printed seed> npx vitest run --project unit server/commands
 */
import { expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { openTestReplica } from "../replica/testing.ts";
import { Access } from "./access/access.ts";
import { grants } from "./access/users.ts";
import type { ClientState } from "./command.ts";
import { runCommand } from "./commands.ts";
import type { Reply } from "./reply.ts";
import { RespParser } from "./resp-parser.ts";

const seed = Number(process.env["SEED"] ?? 20_261_126);
const limits = {
  maxArguments: 64,
  maxBulkBytes: 4_096,
  maxCommandBytes: 16_384,
  maxInlineBytes: 64,
};

async function openConnection() {
  const { replica, newId } = await openTestReplica();
  const client: ClientState = {
    id: 1,
    replica,
    cluster: undefined,
    peerLoss: undefined,
    access: new Access({ nowMs: () => 0 }),
    remote: "test",
    grants: grants.all,
    ownGrants: grants.all,
    login: undefined,
    onLogin: () => {},
    respVersion: 2,
    mayBeLater: false,
    name: "",
    queued: undefined,
    queueFailed: false,
    closing: false,
  };
  const bytes = Buffer.alloc(8_192);
  let replies: (Reply | Promise<Reply>)[] = [];
  const parser = new RespParser(limits, (request) => {
    replies.push(runCommand(client, request));
  });
  /** One write of several commands; their replies, after the buffer was written over. */
  const send = (...commands: string[][]): Promise<Reply[]> => {
    const size = bytes.write(commands.map(encode).join(""), 0, "latin1");
    parser.feed(bytes, 0, size);
    bytes.fill("!");
    const answered = replies;
    replies = [];
    return Promise.all(answered.map((reply) => Promise.resolve(reply)));
  };
  return { send, newId };
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

it("keeps values, keys and ids, and not the bytes they came in", async () => {
  const { send, newId } = await openConnection();
  const prng = createPrng(seed);
  const stored = new Map<string, string>();
  const draw = (): [string, string] => {
    const value = Buffer.from(prng.nextBytes(prng.nextInt(300))).toString("latin1");
    return [`k${prng.nextInt(20)}`, value];
  };
  const ways = [0, 0, 0, 0, 0];
  for (let round = 0; round < 300; round += 1) {
    const [[a, x], [b, y]] = [draw(), draw()];
    const id = newId();
    const way = prng.nextInt(ways.length);
    ways[way] = (ways[way] ?? 0) + 1;
    const commands = [
      [
        ["SET", a, x],
        ["SET", b, y],
      ],
      [["MSET", a, x, b, y]],
      [["MULTI"], ["SET", a, x], ["SET", b, y], ["EXEC"]],
      [
        ["AFT.BEGIN", "r", "TXID", id],
        ["AFT.SET", id, a, x, "SEQ", "1"],
        ["AFT.SET", id, b, y, "SEQ", "2"],
        ["AFT.COMMIT", id, "AFTER", "2"],
      ],
      [["AFT.COMMIT", id, "BRIEF", "AFTER", "2", "BEGIN", "r", "WRITES", a, x, b, y]],
    ][way];
    const replies = await send(...(commands ?? []));
    for (const reply of replies) expect(reply.kind).not.toBe("error");
    stored.set(a, x).set(b, y);
    const keys = [...stored.keys()];
    const [values] = await send(["MGET", ...keys]);
    if (values?.kind !== "array") throw new Error(JSON.stringify(values));
    const texts = values.items.map((item) =>
      item.kind === "bulk" ? Buffer.from(item.value).toString("latin1") : item.kind,
    );
    expect(texts).toEqual(keys.map((key) => stored.get(key)));
  }
  expect(Math.min(...ways)).toBeGreaterThan(20);
});

it("answers with bytes of its own where the answer is an argument", async () => {
  const { send } = await openConnection();
  const replies = await send(["ECHO", "once"], ["PING", "twice"]);
  expect(replies.map((reply) => reply.kind === "bulk" && String(reply.value))).toEqual([
    "once",
    "twice",
  ]);
});
