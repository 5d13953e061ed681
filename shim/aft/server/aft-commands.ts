/**
 * @module The AFT.* commands.
 *
 *   AFT.BEGIN requestId                     → id; or, if that request has committed, on whichever
 *                                             replica, its outcome as AFT.COMMIT gives it
 *   AFT.BEGIN requestId TXID id             → id; happens once if the id carries the request's tag
 *   AFT.GET tx key [along]                  → value or null
 *   AFT.MGET tx n key…                      → values or nulls (n writes were issued before)
 *   AFT.SET tx key value [SEQ n]            → OK
 *   AFT.COMMIT tx [BRIEF] [along]           → map state, timestampUs, transactionId, error,
 *                                             message; with BRIEF the timestamp alone where this
 *                                             tx committed
 *   AFT.ABORT tx                            → OK
 *   AFT.STATUS tx                           → as AFT.COMMIT; state may also be open
 *   AFT.LATER                               → OK; from now on answers may come out of order: `+LATER` in
 *                                             place of one that has to wait, and then a push of
 *                                             its number on this connection (1, 2 …) and the answer
 *   AFT.STATS                               → JSON; for administrators (+@admin)
 *
 *   along = [AFTER n] [BEGIN requestId] [WRITES key value …]: n writes were issued before; tx begins
 *   first; the writes are the last ones of the n and come before the command. Read from the left, so that
 *   no key or value is taken for a word.
 *
 * Keys are bytes: they are read as Latin-1, so that any byte sequence is a key of its own.
 */
import type {
  BeginAnswer,
  CommitAnswer,
  PutAnswer,
  ReadAnswer,
  Replica,
  StatusAnswer,
} from "../replica/port.ts";
import { grants } from "./access/users.ts";
import { type Command, refusalReply } from "./command.ts";
import { isDeleted } from "./plain-values.ts";
import { array, bulk, errorReply, integer, nothing, ok, type Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const noArgument = Buffer.alloc(0);
const usage = errorReply(
  "ERR",
  "usage: [AFTER writes] [BEGIN requestId] [WRITES key value …] behind the transaction and the key",
);
const reserved = errorReply("ERR", "this value is reserved");

export const aftCommands: Readonly<Record<string, Command>> = {
  "AFT.BEGIN": {
    arity: -2,
    run: ({ replica }, request) => {
      const requestId = request.text(1);
      if (request.length === 2) return beginOnce(replica, requestId);
      if (request.length !== 4 || !request.is(2, "TXID"))
        return errorReply("ERR", "usage: AFT.BEGIN requestId [TXID id]");
      return begun(replica.begin({ requestId, transactionId: request.text(3) }));
    },
  },
  "AFT.GET": {
    arity: -3,
    run: ({ replica }, request) => {
      const along = takeAlong(replica, request, 3);
      if (typeof along !== "number") return along;
      const transactionId = request.text(1);
      const answer = replica.get({ transactionId, key: request.text(2), afterWrites: along });
      return answer instanceof Promise ? answer.then(readReply) : readReply(answer);
    },
  },
  "AFT.MGET": {
    arity: -4,
    run: ({ replica }, request) => {
      const afterWrites = request.count(2);
      if (afterWrites === undefined)
        return errorReply("ERR", "usage: AFT.MGET tx writes-before key…");
      const keys: string[] = [];
      for (let index = 3; index < request.length; index += 1) keys.push(request.text(index));
      const answers = replica.getMany({ transactionId: request.text(1), keys, afterWrites });
      return answers instanceof Promise ? answers.then(readReplies) : readReplies(answers);
    },
  },
  "AFT.SET": {
    arity: -4,
    run: ({ replica }, request) => {
      const sequence = option(request, { from: 4, to: request.length, word: "SEQ" });
      if (sequence === undefined) return errorReply("ERR", "usage: AFT.SET tx key value [SEQ n]");
      const value = request.copy(3);
      if (isDeleted(value)) return reserved;
      const answer = replica.put({
        transactionId: request.text(1),
        key: request.text(2),
        value,
        ...(sequence > 0 && { sequence }),
      });
      return answer instanceof Promise ? answer.then(putReply) : putReply(answer);
    },
  },
  "AFT.COMMIT": {
    arity: -2,
    run: ({ replica }, request) => {
      const transactionId = request.text(1);
      const brief = request.is(2, "BRIEF");
      const along = takeAlong(replica, request, brief ? 3 : 2);
      if (typeof along !== "number") return along;
      const answer = replica.commit({ transactionId, afterWrites: along });
      const toReply = (settled: CommitAnswer): Reply =>
        brief ? briefReply(settled, transactionId) : outcomeReply(settled);
      return answer instanceof Promise ? answer.then(toReply) : toReply(answer);
    },
  },
  "AFT.ABORT": {
    arity: 2,
    run: ({ replica }, request) => {
      const answer = replica.abort({ transactionId: request.text(1) });
      return answer.kind === "refused" ? refusalReply(answer) : ok;
    },
  },
  "AFT.STATUS": {
    arity: 2,
    run: ({ replica }, request) =>
      replica.status({ transactionId: request.text(1) }).then(outcomeReply),
  },
  "AFT.LATER": {
    arity: 1,
    run: (client) => {
      client.mayBeLater = true;
      return ok;
    },
  },
  "AFT.STATS": {
    arity: 1,
    needs: grants.admin,
    run: ({ replica }) => bulk(JSON.stringify(replica.stats())),
  },
};

/** Bytes as a string, one character a byte. */
export function text(argument: Buffer | undefined): string {
  return (argument ?? noArgument).toString("latin1");
}

export function readReply(answer: ReadAnswer): Reply {
  if (answer.kind === "value") return isDeleted(answer.value) ? nothing : bulk(answer.value);
  return answer.kind === "absent" ? nothing : refusalReply(answer);
}

/** Values, or the first refusal for all: half an answer would be used. */
export function readReplies(answers: readonly ReadAnswer[]): Reply {
  const refusal = answers.find((answer) => answer.kind === "refused");
  return refusal === undefined ? array(answers.map(readReply)) : refusalReply(refusal);
}

/** The id of a new attempt, or the outcome of a request that has committed already. */
async function beginOnce(replica: Replica, requestId: string): Promise<Reply> {
  const outcome = await replica.outcomeOfRequest(requestId);
  return outcome === undefined
    ? begun(replica.begin({ requestId, once: true }))
    : outcomeReply(outcome);
}

function begun(answer: BeginAnswer): Reply {
  return answer.kind === "begun" ? bulk(answer.transactionId) : refusalReply(answer);
}

function putReply(answer: PutAnswer): Reply {
  return answer.kind === "buffered" ? ok : refusalReply(answer);
}

function outcomeReply(answer: CommitAnswer | StatusAnswer): Reply {
  switch (answer.kind) {
    case "committed":
      return {
        kind: "map",
        entries: [
          ["state", bulk("committed")],
          ["timestampUs", integer(answer.timestampUs)],
          ["transactionId", bulk(answer.transactionId)],
        ],
      };
    case "open":
      return { kind: "map", entries: [["state", bulk("open")]] };
    case "aborted":
    case "unknown":
      return {
        kind: "map",
        entries: [
          ["state", bulk(answer.kind)],
          ["error", bulk(answer.refusal.code)],
          ["message", bulk(answer.refusal.message)],
        ],
      };
  }
}

/** Where the request was committed by another attempt, all of the answer is needed. */
function briefReply(answer: CommitAnswer, transactionId: string): Reply {
  return answer.kind === "committed" && answer.transactionId === transactionId
    ? integer(answer.timestampUs)
    : outcomeReply(answer);
}

/**
 * Does what comes along with a command, before the command; how many writes the transaction has made, or the
 * answer where something is refused. Nothing is done of what is not understood as a whole. A refused write
 * spoils its transaction, so that the command is refused too.
 */
function takeAlong(replica: Replica, request: Request, from: number): number | Reply {
  if (request.length === from) return 0;
  let at = from;
  let afterWrites = 0;
  if (request.is(at, "AFTER")) {
    const count = request.count(at + 1);
    if (count === undefined) return usage;
    afterWrites = count;
    at += 2;
  }
  const begins = request.is(at, "BEGIN") ? at + 1 : undefined;
  if (begins !== undefined) at += 2;
  const first = request.is(at, "WRITES") ? at + 1 : undefined;
  const writes = first === undefined ? 0 : (request.length - first) / 2;
  if (first === undefined && at !== request.length) return usage;
  if (!Number.isInteger(writes) || writes > afterWrites) return usage;
  const transactionId = request.text(1);
  if (begins !== undefined) {
    const answer = replica.begin({ transactionId, requestId: request.text(begins) });
    if (answer.kind === "refused") return refusalReply(answer);
  }
  for (let write = 0; write < writes; write += 1) {
    const place = (first ?? 0) + 2 * write;
    const value = request.copy(place + 1);
    if (isDeleted(value)) return reserved;
    const sequence = afterWrites - writes + write + 1;
    void replica.put({ transactionId, key: request.text(place), value, sequence });
  }
  return afterWrites;
}

/** The number behind an optional word; 0 without it, `undefined` for anything else. */
function option(
  request: Request,
  where: { readonly from: number; readonly to: number; readonly word: string },
): number | undefined {
  const { from, to, word } = where;
  if (to === from) return 0;
  if (to !== from + 2 || !request.is(from, word)) return undefined;
  return request.count(from + 1);
}
