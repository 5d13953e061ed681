/**
 * @module Plain Redis commands, for clients that know nothing of AFT: each is one transaction, and
 * MULTI … EXEC is one.
 */
import type { CommitAnswer, Replica } from "../replica/port.ts";
import { readReplies, readReply, text } from "./aft-commands.ts";
import { type ClientState, type PlainCommand, refusalReply } from "./command.ts";
import { deletedValue, isDeleted } from "./plain-values.ts";
import { array, errorReply, integer, ok, type Reply } from "./reply.ts";

/** One command's part of a transaction that is already open. */
type Step = (replica: Replica, transactionId: string, args: readonly Buffer[]) => Promise<Reply>;

const steps: Readonly<Record<string, { readonly arity: number; readonly step: Step }>> = {
  GET: { arity: 2, step: get },
  MGET: { arity: -2, step: mget },
  SET: { arity: -3, step: set },
  MSET: { arity: -3, step: mset },
  DEL: { arity: -2, step: del },
  EXISTS: { arity: -2, step: exists },
  STRLEN: { arity: 2, step: strlen },
};

export const plainCommands: Readonly<Record<string, PlainCommand>> = {
  ...Object.fromEntries(
    Object.entries(steps).map(([name, { arity, step }]): [string, PlainCommand] => [
      name,
      {
        arity,
        run: ({ replica }, args) => inTransaction(replica, (id) => step(replica, id, args)),
      },
    ]),
  ),
  MULTI: {
    arity: 1,
    immediate: true,
    run: (client) => {
      if (client.queued !== undefined) return errorReply("ERR", "MULTI calls can not be nested");
      client.queued = [];
      client.queueFailed = false;
      return ok;
    },
  },
  DISCARD: {
    arity: 1,
    immediate: true,
    run: (client) => {
      if (client.queued === undefined) return errorReply("ERR", "DISCARD without MULTI");
      client.queued = undefined;
      return ok;
    },
  },
  EXEC: { arity: 1, immediate: true, run: exec },
  WATCH: {
    arity: -2,
    immediate: true,
    run: () => errorReply("ERR", "WATCH is not offered: AFT detects no write conflicts"),
  },
  UNWATCH: { arity: 1, run: () => ok },
};

function exec(client: ClientState): Reply | Promise<Reply> {
  const { queued, queueFailed, replica } = client;
  if (queued === undefined) return errorReply("ERR", "EXEC without MULTI");
  client.queued = undefined;
  if (queueFailed)
    return errorReply("EXECABORT", "Transaction discarded because of previous errors.");
  if (queued.length === 0) return array([]);
  const other = queued.map(nameOf).find((name) => steps[name] === undefined);
  if (other !== undefined)
    return errorReply("EXECABORT", `${other} cannot be part of MULTI; use AFT.BEGIN`);
  return inTransaction(replica, async (id) => {
    const replies: Reply[] = [];
    for (const args of queued) {
      const reply = await steps[nameOf(args)]?.step(replica, id, args);
      // One refusal discards all: a transaction that went on would commit only a part.
      if (reply === undefined || reply.kind === "error")
        return errorReply("EXECABORT", reply === undefined ? "unreachable" : describe(reply));
      replies.push(reply);
    }
    return array(replies);
  });
}

function describe(reply: Extract<Reply, { kind: "error" }>): string {
  return `${reply.code} ${reply.message}`;
}

function nameOf(args: readonly Buffer[]): string {
  return text(args[0]).toUpperCase();
}

/** Begins, works, commits; the reply of `work` if all of that succeeded. */
async function inTransaction(
  replica: Replica,
  work: (transactionId: string) => Promise<Reply>,
): Promise<Reply> {
  const begun = replica.begin({ requestId: "plain" });
  if (begun.kind === "refused") return refusalReply(begun);
  const { transactionId } = begun;
  const reply = await work(transactionId);
  if (reply.kind === "error") {
    replica.abort({ transactionId });
    return reply;
  }
  const outcome: CommitAnswer = await replica.commit({ transactionId });
  return outcome.kind === "committed" ? reply : refusalReply(outcome.refusal);
}

async function get(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  return readReply(await replica.get({ transactionId, key: text(args[1]) }));
}

async function mget(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  return readReplies(await replica.getMany({ transactionId, keys: args.slice(1).map(text) }));
}

async function set(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  if (args.length !== 3)
    return errorReply("ERR", "SET takes no options here: AFT has no expiry and no conditions");
  return put(replica, transactionId, args.slice(1));
}

async function mset(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  if (args.length % 2 === 0)
    return errorReply("ERR", "wrong number of arguments for 'mset' command");
  return put(replica, transactionId, args.slice(1));
}

/** Writes pairs of key and value. */
async function put(
  replica: Replica,
  transactionId: string,
  pairs: readonly Buffer[],
): Promise<Reply> {
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const value = pairs[index + 1] ?? Buffer.alloc(0);
    if (isDeleted(value)) return errorReply("ERR", "this value is reserved");
    const key = text(pairs[index]);
    const answer = await replica.put({ transactionId, key, value });
    if (answer.kind === "refused") return refusalReply(answer);
  }
  return ok;
}

async function del(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  const keys = [...new Set(args.slice(1).map(text))];
  const answers = await replica.getMany({ transactionId, keys });
  let deleted = 0;
  for (const [index, answer] of answers.entries()) {
    if (answer.kind === "refused") return refusalReply(answer);
    const key = keys[index];
    if (answer.kind === "absent" || isDeleted(answer.value) || key === undefined) continue;
    const written = await replica.put({ transactionId, key, value: deletedValue() });
    if (written.kind === "refused") return refusalReply(written);
    deleted += 1;
  }
  return integer(deleted);
}

async function exists(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  const answers = await replica.getMany({ transactionId, keys: args.slice(1).map(text) });
  const refusal = answers.find((answer) => answer.kind === "refused");
  if (refusal !== undefined) return refusalReply(refusal);
  return integer(answers.filter((a) => a.kind === "value" && !isDeleted(a.value)).length);
}

async function strlen(
  replica: Replica,
  transactionId: string,
  args: readonly Buffer[],
): Promise<Reply> {
  const answer = await replica.get({ transactionId, key: text(args[1]) });
  if (answer.kind === "refused") return refusalReply(answer);
  return integer(answer.kind === "value" && !isDeleted(answer.value) ? answer.value.length : 0);
}
