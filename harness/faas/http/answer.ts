/**
 * @module HTTP/1.1 answers out of a byte stream, one at a time. Pure; knows no socket.
 *
 * Only what a client of its own requests needs: a status line, headers, and a body whose length is
 * given, chunked or absent. Anything else is refused, not guessed.
 */
import { ProjectError } from "#kit/errors.ts";

export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name; looked up in the text, because most are never asked for. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  /** The server said that it will close the connection. */
  readonly close: boolean;
}

/** The other side does not speak HTTP/1.1 as understood here, or says more than it may. */
export class HttpProtocolError extends ProjectError {
  readonly code = "http_protocol";
  readonly disposition = "retry";
}

const longestHead = 64 * 1_024;
/** Lambda answers hold 6 MB; the rest is room. */
const longestBody = 16 * 1_048_576;
const noBody = Buffer.alloc(0);

interface Head {
  readonly status: number;
  readonly text: string;
  /** Bytes of the body; `undefined`: chunked. */
  readonly length: number | undefined;
}

/** Feed it what arrives; it gives the answer when that is whole. */
export class AnswerParser {
  #held: Buffer = noBody;
  #head: Head | undefined;

  /**
   * @param chunk Not kept: the caller may overwrite it after the call.
   * @returns The answer, or `undefined` while bytes are missing.
   * @throws HttpProtocolError; the connection is then useless.
   */
  push(chunk: Buffer): HttpAnswer | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let bodyStart = 0;
    if (this.#head === undefined) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) {
        if (bytes.length > longestHead)
          throw new HttpProtocolError("the head of the answer is too long");
        this.#hold(bytes, chunk);
        return undefined;
      }
      this.#head = parseHead(bytes.toString("latin1", 0, end));
      bodyStart = end + 4;
    }
    const rest = bodyStart === 0 ? bytes : bytes.subarray(bodyStart);
    const body = this.#body(rest, this.#head);
    if (body === undefined) {
      this.#hold(rest, chunk);
      return undefined;
    }
    return this.#answer(this.#head, body);
  }

  /** Whether an answer has begun to arrive. */
  get midway(): boolean {
    return this.#head !== undefined || this.#held.length > 0;
  }

  #body(rest: Buffer, head: Head): Buffer | undefined {
    if (head.length === undefined) return unchunk(rest);
    if (rest.length > head.length) throw new HttpProtocolError("the answer is longer than it says");
    if (rest.length < head.length) return undefined;
    return head.length === 0 ? noBody : Buffer.from(rest);
  }

  #answer({ status, text }: Head, body: Buffer): HttpAnswer {
    this.#head = undefined;
    this.#held = noBody;
    return {
      status,
      body,
      close: /\r\nconnection: *close/i.test(text),
      header: (name) => headerIn(text, name),
    };
  }

  /** Keeps what is needed later, as a copy if it still is the caller's memory. */
  #hold(bytes: Buffer, chunk: Buffer): void {
    if (bytes.length > longestBody) throw new HttpProtocolError("the answer is too long");
    this.#held = bytes.buffer === chunk.buffer ? Buffer.from(bytes) : bytes;
  }
}

function parseHead(text: string): Head {
  const status = Number(text.slice(9, 12));
  if (!text.startsWith("HTTP/1.1 ") || !Number.isInteger(status))
    throw new HttpProtocolError(`not an HTTP/1.1 answer: ${JSON.stringify(text.slice(0, 40))}`);
  if (status === 204 || status === 304) return { status, text, length: 0 };
  if (/\r\ntransfer-encoding: *chunked/i.test(text)) return { status, text, length: undefined };
  const length = Number(headerIn(text, "content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length) || length < 0)
    throw new HttpProtocolError("the answer does not say how long it is");
  if (length > longestBody) throw new HttpProtocolError("the answer is too long");
  return { status, text, length };
}

function headerIn(text: string, name: string): string | undefined {
  // Servers write names in their own case.
  const at = text.toLowerCase().indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = text.indexOf("\r\n", start);
  return text.slice(start, end < 0 ? undefined : end).trim();
}

/** The body of a chunked answer when it is whole; trailers are not kept. */
function unchunk(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    const size = Number.parseInt(line, 16);
    if (!/^[0-9a-f]+(;.*)?$/i.test(line) || size > longestBody)
      throw new HttpProtocolError(`bad chunk size ${JSON.stringify(line.slice(0, 20))}`);
    const start = lineEnd + 2;
    if (size === 0) {
      if (bytes.length < start + 2) return undefined;
      return Buffer.concat(parts);
    }
    if (bytes.length < start + size + 2) return undefined;
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
