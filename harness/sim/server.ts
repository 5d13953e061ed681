/**
 * @module A replica's server without sockets: the production commands, on bytes as clients send them.
 */
import type { PeerEndpoint } from "#shim/aft/cluster/port.ts";
import type { MaybePromise, Replica } from "#shim/aft/replica/port.ts";
import { Access } from "#shim/aft/server/access/access.ts";
import { AnswerOrder } from "#shim/aft/server/answer-order.ts";
import type { ClientState } from "#shim/aft/server/command.ts";
import { runCommand } from "#shim/aft/server/commands.ts";
import { errorReply, ok, type Reply } from "#shim/aft/server/reply.ts";
import { RespParser } from "#shim/aft/server/resp-parser.ts";
import type { SimProcess } from "./process.ts";

const limits = {
  maxArguments: 10_000,
  maxBulkBytes: 1_048_576,
  maxCommandBytes: 4 * 1_048_576,
  maxInlineBytes: 1_024,
};

/** What serves at an address while its process lives. */
export interface ServingReplica {
  readonly process: SimProcess;
  readonly replica: Replica;
  /** Absent: no cluster. */
  readonly member: PeerEndpoint | undefined;
  /** Told of a command that threw or rejected: none may. */
  readonly onBug: (error: unknown) => void;
}

const okBytes = Buffer.from("OK");

/** The server's end of one connection. */
export class ServerConnection {
  readonly #serving: ServingReplica;
  readonly #client: ClientState;
  readonly #parser: RespParser;
  readonly #answers: AnswerOrder;

  constructor(serving: ServingReplica, mayBeLater: boolean, onReply: (reply: Reply) => void) {
    const { process, replica, member } = serving;
    this.#serving = serving;
    this.#answers = new AnswerOrder({
      onReply,
      onSettled: () => {},
      onBug: (error) => this.#bug(error),
    });
    const access = new Access({ nowMs: () => process.nowMs() });
    const grants = access.grantsOf({ isVerifiedPeer: false });
    this.#client = {
      id: 1,
      replica,
      cluster: member === undefined ? undefined : () => member,
      peerLoss: undefined,
      access,
      remote: "simulated",
      grants,
      ownGrants: grants,
      login: undefined,
      onLogin: () => {},
      respVersion: 2,
      mayBeLater,
      name: "",
      queued: undefined,
      queueFailed: false,
      closing: false,
    };
    this.#parser = new RespParser(limits, (request) => {
      try {
        this.#take(runCommand(this.#client, request));
      } catch (error) {
        this.#take(this.#bug(error));
      }
    });
  }

  feed(bytes: Buffer): void {
    this.#parser.feed(bytes);
  }

  #take(reply: MaybePromise<Reply>): void {
    this.#answers.take(reply, this.#client.mayBeLater);
  }

  #bug(error: unknown): Reply {
    this.#serving.onBug(error);
    return errorReply("ERR", "internal error");
  }
}

/** What a client's library makes of a reply: bytes, numbers, lists; an `Error` for an error. */
export function toClientValue(reply: Reply): unknown {
  switch (reply.kind) {
    case "status":
      return reply === ok ? okBytes : Buffer.from(reply.text);
    case "error":
      return replyError(`${reply.code} ${reply.message}`);
    case "integer":
      return reply.value;
    case "bulk":
      // Shared, not copied: bytes that were handed over never change.
      return Buffer.isBuffer(reply.value) ? reply.value : Buffer.from(reply.value);
    case "null":
      return null;
    case "push":
      return toClientValue(reply.reply);
    case "array":
      return reply.items.map(toClientValue);
    case "map":
      return reply.entries.flatMap(([name, value]) => [Buffer.from(name), toClientValue(value)]);
  }
}

function replyError(message: string): Error {
  const error = new Error(message);
  // By this name the client tells an answer from a missing one.
  error.name = "ReplyError";
  return error;
}
