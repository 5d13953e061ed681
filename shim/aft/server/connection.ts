/**
 * @module One client connection: bytes in, commands, replies (`answer-order.ts`), bytes out.
 *
 * Bounds: unfinished commands by the parser's limits; replies that wait for the replica by
 * `maxPendingReplies`, beyond which reading stops; replies that the client does not read by
 * `maxOutputBytes`, beyond which the connection is cut. Replies of one turn leave in one write.
 */
import type { Socket } from "node:net";
import { describeError } from "#kit/errors.ts";
import { RespBuffer } from "#kit/node/resp-buffer.ts";
import { AnswerOrder } from "./answer-order.ts";
import type { ClientState } from "./command.ts";
import { runCommand } from "./commands.ts";
import type { MaybePromise } from "../replica/port.ts";
import { encodeReply, errorReply, type Reply } from "./reply.ts";
import type { ReadBuffer } from "./read-buffer.ts";
import type { Request } from "./request.ts";
import { type RespLimits, RespParser, RespProtocolError } from "./resp-parser.ts";

export interface ConnectionLimits extends RespLimits {
  readonly maxPendingReplies: number;
  readonly maxOutputBytes: number;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly client: ClientState;
  readonly limits: ConnectionLimits;
  /** Where it reads into, as all others do. */
  readonly readBuffer: ReadBuffer;
  /** Told about what should not happen: a command that threw. */
  readonly onBug: (error: unknown) => void;
  /** Told whenever requests have arrived. */
  readonly onRequests: () => void;
}

/**
 * Enough for a write of its own before the turn ends, so that the client can begin while the rest
 * is worked on.
 */
const writeEarlyBytes = 32_768;

/** Serves a socket until it closes; never throws. */
export function serveConnection(options: ConnectionOptions): void {
  new Connection(options).start();
}

class Connection {
  readonly #socket: Socket;
  readonly #client: ClientState;
  readonly #limits: ConnectionLimits;
  readonly #readBuffer: ReadBuffer;
  readonly #onBug: (error: unknown) => void;
  readonly #onRequests: () => void;
  readonly #parser: RespParser;
  readonly #answers: AnswerOrder;
  readonly #out = new RespBuffer();
  #flushScheduled = false;

  constructor(options: ConnectionOptions) {
    this.#socket = options.socket;
    this.#client = options.client;
    this.#limits = options.limits;
    this.#readBuffer = options.readBuffer;
    this.#onBug = options.onBug;
    this.#onRequests = options.onRequests;
    this.#answers = new AnswerOrder({
      onReply: (reply) => {
        encodeReply(this.#out, reply, this.#client.respVersion);
      },
      onSettled: () => {
        this.#flushLater();
      },
      onBug: (error) => this.#bug(error),
    });
    this.#parser = new RespParser(options.limits, (request) => {
      this.#run(request);
    });
  }

  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    const onBytes = (bytes: Buffer, start: number, end: number): void => {
      this.#read(bytes, start, end);
      this.#onRequests();
    };
    if (!this.#readBuffer.attach(socket, onBytes))
      socket.on("data", (chunk: Buffer) => {
        onBytes(chunk, 0, chunk.length);
      });
    socket.on("drain", () => {
      this.#resumeIfCalm();
    });
    // A client that goes away in the middle is its own affair.
    socket.on("error", () => {
      socket.destroy();
    });
  }

  #read(bytes: Buffer, start: number, end: number): void {
    try {
      this.#parser.feed(bytes, start, end);
    } catch (error) {
      if (!(error instanceof RespProtocolError)) this.#onBug(error);
      this.#answer(errorReply("ERR", `Protocol error: ${describeError(error)}`));
      this.#client.closing = true;
    }
    this.#flush();
    if (this.#answers.owed > this.#limits.maxPendingReplies) this.#socket.pause();
  }

  #run(request: Request): void {
    if (this.#client.closing) return;
    let reply: MaybePromise<Reply>;
    try {
      reply = runCommand(this.#client, request);
    } catch (error) {
      reply = this.#bug(error);
    }
    this.#answer(reply);
  }

  #bug(error: unknown): Reply {
    this.#onBug(error);
    return errorReply("ERR", "internal error; see the server's log");
  }

  #answer(reply: MaybePromise<Reply>): void {
    this.#answers.take(reply, this.#client.mayBeLater);
    if (this.#out.size >= writeEarlyBytes) this.#write();
  }

  /** Answers that storage settles together (a group commit) leave together. */
  #flushLater(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
      this.#resumeIfCalm();
    });
  }

  #flush(): void {
    this.#write();
    if (this.#client.closing && this.#answers.owed === 0) {
      this.#socket.end();
      return;
    }
    const { maxOutputBytes } = this.#limits;
    // Reads nothing although it asks for more: memory is worth more than this client.
    if (this.#socket.writableLength > maxOutputBytes) this.#socket.destroy();
    else if (this.#socket.writableNeedDrain) this.#socket.pause();
  }

  #write(): void {
    if (this.#out.size === 0 || this.#socket.destroyed) return;
    this.#socket.write(this.#out.take());
    // Taken by the kernel at once, as nearly always: the buffer is free again. Otherwise it belongs
    // to the socket until it is written.
    this.#out.reuse(this.#socket.writableLength === 0);
  }

  #resumeIfCalm(): void {
    const { maxPendingReplies } = this.#limits;
    if (this.#answers.owed > maxPendingReplies / 2 || this.#socket.writableNeedDrain) return;
    if (this.#socket.isPaused()) this.#socket.resume();
  }
}
