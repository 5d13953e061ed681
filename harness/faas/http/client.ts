/**
 * @module An HTTP/1.1 client over raw keep-alive sockets, for load: one request per connection at a
 * time, no pipelining, one system call to send and one to receive.
 *
 * Why not node:http: its client costs several times as much CPU per request as this one, and the
 * generator must not be the bottleneck (MEASURING rule 6); `micro generator` keeps the figures.
 */
import { connect, type Socket } from "node:net";
import { ProjectError } from "#kit/errors.ts";
import { AnswerParser, type HttpAnswer } from "./answer.ts";

/** No answer: the connection could not be made, was lost, or nothing came in time. */
export class HttpRequestError extends ProjectError {
  readonly code = "http_request";
  readonly disposition = "retry";
}

export interface HttpClientOptions {
  readonly port: number;
  /** Connections at once; requests beyond them wait for a free one. */
  readonly maxConnections: number;
}

interface Waiting {
  readonly text: string;
  readonly settle: (answer: HttpAnswer | HttpRequestError) => void;
}

/** All connections read into this; what they keep they copy. */
const readBuffer = Buffer.allocUnsafe(64 * 1_024);

/** To one server on 127.0.0.1. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: Waiting[] = [];

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** The fixed part of a request's head, to be made once and used often. */
  static head(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): string {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}`;
  }

  /**
   * Sends `head` (of `HttpClient.head`) with a body and waits for the answer. After `timeoutMs` the
   * connection is closed, as a caller that hangs up would.
   *
   * Rejects with `HttpRequestError`.
   */
  send(head: string, body = "", timeoutMs?: number): Promise<HttpAnswer> {
    const length = Buffer.byteLength(body);
    return this.sendRaw(`${head}content-length: ${length}\r\n\r\n${body}`, timeoutMs);
  }

  /** The same with a whole request as text. */
  sendRaw(text: string, timeoutMs?: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const waiting: Waiting = {
        text,
        settle: (answer) => {
          clearTimeout(timer);
          if (answer instanceof HttpRequestError) reject(answer);
          else resolve(answer);
        },
      };
      const connection = this.#dispatch(waiting);
      if (timeoutMs === undefined) return;
      timer = setTimeout(() => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        const error = new HttpRequestError(`no answer within ${timeoutMs} ms`);
        if (connection === undefined) waiting.settle(error);
        else connection.fail(error);
      }, timeoutMs);
    });
  }

  /** Closes all connections; requests under way are rejected. */
  close(): void {
    const error = new HttpRequestError("the client was closed");
    for (const { settle } of this.#waiting.splice(0)) settle(error);
    for (const connection of this.#all) connection.fail(error);
  }

  #dispatch(waiting: Waiting): Connection | undefined {
    const connection = this.#free.pop() ?? this.#open();
    if (connection === undefined) this.#waiting.push(waiting);
    else connection.start(waiting);
    return connection;
  }

  #open(): Connection | undefined {
    if (this.#all.size >= this.#options.maxConnections) return undefined;
    const connection = new Connection(this.#options.port, {
      onFree: () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free.push(connection);
        else connection.start(next);
      },
      onClosed: () => {
        this.#all.delete(connection);
        const at = this.#free.indexOf(connection);
        if (at >= 0) this.#free.splice(at, 1);
        const next = this.#waiting.shift();
        if (next !== undefined) this.#dispatch(next);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #parser = new AnswerParser();
  readonly #events: { readonly onFree: () => void; readonly onClosed: () => void };
  #current: Waiting | undefined;
  #closed = false;

  constructor(port: number, events: { onFree: () => void; onClosed: () => void }) {
    this.#events = events;
    this.#socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (size) => {
          this.#onBytes(readBuffer.subarray(0, size));
          return true;
        },
      },
    });
    this.#socket.on("error", (cause) => {
      this.fail(new HttpRequestError("the connection failed", { cause }));
    });
    this.#socket.on("close", () => {
      this.fail(new HttpRequestError("the server closed the connection before it answered"));
    });
  }

  start(waiting: Waiting): void {
    this.#current = waiting;
    this.#socket.write(waiting.text);
  }

  /** Ends the connection and whatever it was doing. Idempotent. */
  fail(error: HttpRequestError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    const current = this.#current;
    this.#current = undefined;
    current?.settle(error);
    this.#events.onClosed();
  }

  #onBytes(bytes: Buffer): void {
    let answer: HttpAnswer | undefined;
    try {
      if (this.#current === undefined) throw new HttpRequestError("an answer nobody asked for");
      answer = this.#parser.push(bytes);
    } catch (cause) {
      this.fail(new HttpRequestError("the answer cannot be read", { cause }));
      return;
    }
    if (answer === undefined) return;
    const current = this.#current;
    this.#current = undefined;
    if (answer.close) this.fail(new HttpRequestError("closed by the server"));
    else this.#events.onFree();
    current?.settle(answer);
  }
}
