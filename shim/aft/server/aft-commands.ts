/**
 * @module The AFT.* commands.
 *
 *   AFT.BEGIN requestId                     → id; or, if that request has committed, on whichever
 *                                             replica, its outcome as AFT.COMMIT gives it
 *   AFT.BEGIN requestId TXID id             → id; happens once if the id carries the request's tag
 *   AFT.GET tx key [AFTER n] [BEGIN requestId]   → value or null; begins tx first
 *   AFT.MGET tx n key…                      → values or nulls (n writes were issued before)
 *   AFT.SET tx key value [SEQ n]            → OK
 *   AFT.COMMIT tx [BRIEF] [AFTER n [WRITES key value …]]  → map state, timestampUs, transactionId,
 *                                             error, message;
 *                                             the writes are the last ones of the n; with BRIEF
 *                                             the timestamp alone where this tx committed
 *   AFT.ABORT tx                            → OK
 *   AFT.STATUS tx                           → as AFT.COMMIT; state may also be open
 *   AFT.STATS                               → JSON; for administrators (+@admin)
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
      const transactionId = request.text(1);
      let end = request.length;
      if (end > 4 && request.is(end - 2, "BEGIN")) {
        const answer = replica.begin({ transactionId, requestId: request.text(end - 1) });
        if (answer.kind === "refused") return refusalReply(answer);
        end -= 2;
      }
      const afterWrites = option(request, { from: 3, to: end, word: "AFTER" });
      if (afterWrites === undefined)
        return errorReply("ERR", "usage: AFT.GET tx key [AFTER writes] [BEGIN requestId]");
      const answer = replica.get({ transactionId, key: request.text(2), afterWrites });
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
      if (isDeleted(value)) return errorReply("ERR", "this value is reserved");
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
      const from = brief ? 3 : 2;
      const withWrites = request.length > from + 2;
      const afterWrites = option(request, {
        from,
        to: withWrites ? from + 2 : request.length,
        word: "AFTER",
      });
      if (
        afterWrites === undefined ||
        (withWrites && !putLast(replica, request, { afterWrites, from: from + 2 }))
      )
        return errorReply(
          "ERR",
          "usage: AFT.COMMIT tx [BRIEF] [AFTER writes [WRITES key value …]]",
        );
      const answer = replica.commit({ transactionId, afterWrites });
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

/** A value that outlives the received chunk. */
export function copyOf(argument: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(argument.length);
  argument.copy(copy);
  return copy;
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
 * The writes that came with a commit: the last of the `afterWrites` the transaction has made. Their
 * answers are the commit's, which fails if one of them was refused.
 */
function putLast(
  replica: Replica,
  request: Request,
  where: { readonly afterWrites: number; readonly from: number },
): boolean {
  const { afterWrites, from } = where;
  const first = from + 1;
  const writes = (request.length - first) / 2;
  if (!request.is(from, "WRITES") || !Number.isInteger(writes) || writes > afterWrites)
    return false;
  for (let write = 0; write < writes; write += 1) {
    const value = request.copy(first + 2 * write + 1);
    if (isDeleted(value)) return false;
    void replica.put({
      transactionId: request.text(1),
      key: request.text(first + 2 * write),
      value,
      sequence: afterWrites - writes + write + 1,
    });
  }
  return true;
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
