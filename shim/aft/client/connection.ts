/**
 * @module The client's connection to a replica: the commands of a turn in a few writes, and nothing
 * made for a command but its promise and its answer.
 *
 * Own code because it is half of what AFT costs a function: a general client makes an object, a timer
 * or a buffer for each command and one for each chunk received (D135).
 * Nothing is repeated behind the caller's back after a reconnect; what was sent and not answered
 * rejects, and the session decides what that means.
 */
import type { SecureContextOptions } from "node:tls";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { StateError } from "#shim/state/port.ts";
import { LateAnswers } from "./late-answers.ts";
import type { Argument, CommandConnection, Connections } from "./port.ts";
import { later, type Reply, ReplyError, ReplyParser, ReplyProtocolError } from "./reply-parser.ts";
import { WriteRhythm } from "#kit/node/write-rhythm.ts";
import { RequestBuffer } from "./request-buffer.ts";

export interface AftEndpoint {
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly endpoint: string;
  /** Default: `default`. */
  readonly username?: string;
  readonly password?: string;
  /** Absent: unencrypted. Of no effect on a Unix socket. */
  readonly tls?: SecureContextOptions;
  /** A replica silent for so long while an answer is due is given up. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;
/** Between attempts to connect; doubled after each that fails. */
const firstPauseMs = 20;
const longestPauseMs = 1_000;

/** Codes the caller can do nothing about by trying again. */
const finalCodes: ReadonlySet<string> = new Set([
  "key_too_large",
  "value_too_large",
  "too_many_keys",
  "storage_limit",
]);

/** Codes that show a mistake in the caller. */
const bugCodes: ReadonlySet<string> = new Set([
  "transaction_committed",
  "transaction_committing",
  "transaction_exists",
]);

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Received bytes of all connections of this process; they are read out before the next arrive. */
const received = Buffer.allocUnsafeSlow(65_536);

export class AftConnection implements CommandConnection, Connections {
  readonly #options: AftEndpoint;
  readonly #timeoutMs: number;
  readonly #out = new RequestBuffer();
  /** Callers in the order of their commands, from `#answered` on. */
  #waiting: Waiting[] = [];
  #answered = 0;
  /** Callers whose answers were announced for later (AFT.LATER). */
  readonly #later = new LateAnswers<Waiting>();
  #socket: Socket | undefined;
  #whenOpen: { resolve: () => void; reject: (error: Error) => void } | undefined;
  /** Commands go to the socket; before, they are gathered. */
  #isOpen = false;
  #isClosed = false;
  #attempts = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  /** When bytes came last, or the first answer that is due was asked for. */
  #heardMs = 0;
  readonly #rhythm = new WriteRhythm();
  #isTurn = false;

  private constructor(options: AftEndpoint) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  }

  /** Connects with the first command, or when `ready` is called. */
  static create(options: AftEndpoint): AftConnection {
    return new AftConnection(options);
  }

  /** Rejects with a `StateError` when the replica cannot be reached. */
  static async open(options: AftEndpoint): Promise<AftConnection> {
    const connection = new AftConnection(options);
    await connection.ready();
    return connection;
  }

  /** One for all: commands of sessions at work at the same time leave in the same writes. */
  forSession(): CommandConnection {
    return this;
  }

  /** Rejects with a `StateError` when the replica cannot be reached. */
  async ready(): Promise<void> {
    if (this.#isOpen) return;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#whenOpen = { resolve, reject };
        this.#connect();
      });
    } catch (error) {
      this.close();
      throw toStateError(error);
    }
  }

  /**
   * Sends one command, named in lower case, in one write with others of this turn. Rejects with
   * `ReplyError` where the replica answered so, and with another error where an answer is missing.
   */
  send(command: string, args: Argument[]): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error("the connection is closed"));
    this.#out.command(command, args);
    // An answer is due from now on.
    if (!this.#isAnswerDue) this.#heardMs = performance.now();
    const answer = new Promise<Reply>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    if (!this.#isOpen) this.#connect();
    else this.#write();
    return answer;
  }

  /** What waits for an answer rejects, and so does all that is sent later. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#end(new Error("the connection was closed"));
  }

  get #isAnswerDue(): boolean {
    return this.#waiting.length > 0 || this.#later.due > 0;
  }

  #write(): void {
    if (!this.#isTurn) {
      this.#isTurn = true;
      // Runs when the microtasks of this turn, all the woken callers, are through.
      process.nextTick(this.#endTurn);
    }
    const underWay = this.#waiting.length - this.#answered + this.#later.due;
    if (this.#rhythm.leaves(underWay)) this.#flush();
  }

  readonly #endTurn = (): void => {
    this.#isTurn = false;
    this.#rhythm.endTurn();
    if (this.#out.size > 0 && this.#isOpen) this.#flush();
  };

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#watchSilence();
    socket.write(this.#out.take());
    // What the kernel did not take at once is still read from.
    this.#out.reuse(socket.writableLength === 0);
  }

  /** Opens a socket unless one is being opened, or it is too early to try again. */
  #connect(): void {
    if (this.#socket !== undefined || this.#retryTimer !== undefined) return;
    const parser = new ReplyParser(this.#onReply, this.#onPush);
    let socket: Socket;
    const onBytes = (size: number, bytes: Uint8Array): boolean => {
      if (this.#socket !== socket) return false;
      this.#heardMs = performance.now();
      this.#attempts = 0;
      try {
        parser.feed(bytes, size);
      } catch (error) {
        if (this.#socket === socket) this.#end(toError(error));
      }
      return true;
    };
    const { endpoint, tls } = this.#options;
    const at = addressOf(endpoint);
    if (tls === undefined || "path" in at)
      socket = connect({ ...at, onread: { buffer: received, callback: onBytes } });
    else {
      socket = connectTls({ ...at, ...tls });
      socket.on("data", (chunk: Buffer) => onBytes(chunk.length, chunk));
    }
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.once(tls === undefined || "path" in at ? "connect" : "secureConnect", () => {
      if (this.#socket === socket) this.#opened();
    });
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.once("close", () => {
      if (this.#socket === socket)
        this.#end(failure ?? new Error("the replica closed the connection"));
    });
    this.#heardMs = performance.now();
    this.#watchSilence();
  }

  #opened(): void {
    this.#isOpen = true;
    // Ahead of everything gathered.
    const gathered = Buffer.from(this.#out.take());
    const ahead: Waiting[] = [];
    const accept = (): void => {
      this.#accepted();
    };
    const { username, password } = this.#options;
    if (password !== undefined) {
      // Without it nothing behind it is of use.
      const reject = (error: Error): void => {
        this.#end(error);
      };
      ahead.push({ resolve: accept, reject });
      this.#out.command("auth", username === undefined ? [password] : [username, password]);
    }
    // A replica that does not know it answers in order.
    ahead.push({ resolve: () => {}, reject: () => {} });
    this.#out.command("aft.later", []);
    this.#waiting.splice(this.#answered, 0, ...ahead);
    this.#out.bytes(gathered);
    if (password === undefined) this.#accepted();
    this.#flush();
  }

  #accepted(): void {
    this.#whenOpen?.resolve();
    this.#whenOpen = undefined;
  }

  readonly #onReply = (reply: Reply): void => {
    const waiting = this.#waiting[this.#answered];
    if (waiting === undefined) throw new ReplyProtocolError("an answer to nothing");
    this.#answered += 1;
    if (this.#answered === this.#waiting.length) {
      this.#waiting = [];
      this.#answered = 0;
    }
    if (reply !== later) {
      settle(waiting, reply);
      return;
    }
    this.#later.announce(waiting);
  };

  readonly #onPush = ([number, reply]: readonly Reply[]): void => {
    const waiting = typeof number === "number" ? this.#later.take(number) : undefined;
    if (waiting === undefined || reply === undefined)
      throw new ReplyProtocolError("a late answer to nothing");
    settle(waiting, reply);
  };

  /** One timer for all commands: one for each costs more than the command. */
  #watchSilence(): void {
    if (this.#silenceTimer !== undefined) return;
    const look = (): void => {
      this.#silenceTimer = undefined;
      if (!this.#isAnswerDue && this.#whenOpen === undefined) return;
      const leftMs = this.#timeoutMs - (performance.now() - this.#heardMs);
      if (leftMs > 0) this.#silenceTimer = setTimeout(look, leftMs).unref();
      else this.#end(new Error(`no answer in ${this.#timeoutMs} ms`));
    };
    this.#silenceTimer = setTimeout(look, this.#timeoutMs).unref();
  }

  /** Gives the socket up; nothing is sent again. */
  #end(error: Error): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isOpen = false;
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = undefined;
    socket?.destroy();
    this.#out.take();
    this.#out.reuse(false);
    const lost = [...this.#later.clear(), ...this.#waiting.slice(this.#answered)];
    this.#waiting = [];
    this.#answered = 0;
    if (!this.#isClosed) this.#pause();
    for (const { reject } of lost) reject(error);
    this.#whenOpen?.reject(error);
    this.#whenOpen = undefined;
  }

  /** Commands sent meanwhile wait for the next attempt. */
  #pause(): void {
    const pauseMs = Math.min(firstPauseMs * 2 ** this.#attempts, longestPauseMs);
    this.#attempts += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      if (this.#waiting.length > 0) this.#connect();
    }, pauseMs);
  }
}

function settle({ resolve, reject }: Waiting, reply: Reply): void {
  if (reply instanceof ReplyError) reject(reply);
  else resolve(reply);
}

/** Whether the replica itself answered with an error; otherwise an answer is missing. */
export function isAnswer(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

export function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!isAnswer(error)) {
    return new StateError({
      code: "replica_unreachable",
      disposition: "retry",
      message: `no answer from the AFT replica: ${message}`,
      cause: error,
    });
  }
  const [, word = "error", text = message] = /^AFT_([A-Z_]+) (.*)$/.exec(message) ?? [];
  const code = word.toLowerCase();
  const disposition = finalCodes.has(code) ? "abort" : bugCodes.has(code) ? "bug" : "retry";
  return new StateError({ code, disposition, message: text, cause: error });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function addressOf(endpoint: string): { path: string } | { host: string; port: number } {
  if (endpoint.startsWith("unix:")) return { path: endpoint.slice("unix:".length) };
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
