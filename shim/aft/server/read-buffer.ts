/**
 * @module One buffer that all connections of a server read into, one after another.
 *
 * Node allocates 64 KiB for each read of an accepted socket and copies what came into another buffer of
 * its own: more work than understanding it, and outside the heap, which makes V8 collect. For sockets
 * that are made by hand it has `onread`; for accepted ones it has the same inside, and no way to ask for
 * it. So what `onread` sets is set from here. Where a version of Node has it otherwise, or a socket is
 * none (TLS), chunks come as always.
 *
 * Whoever is called back keeps nothing of the buffer: the next read, of whichever connection, is
 * written over it.
 */
import { Socket } from "node:net";

/** Where a connection puts what it holds of an unfinished command, so that it need not join chunks. */
const roomBytes = 65_536;
const readBytes = 65_536;

/** Told where new bytes are; what is in front of `start` is the callback's to write to. */
export type OnBytes = (bytes: Buffer, start: number, end: number) => void;

interface Handle {
  useUserBuffer(bytes: Uint8Array): void;
}

export class ReadBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(roomBytes + readBytes);
  readonly #read = this.#bytes.subarray(roomBytes);
  readonly #symbols = symbolsOfOnread();

  /** Whether the socket reads into this buffer from now on; if not, nothing has changed. */
  attach(socket: Socket, onBytes: OnBytes): boolean {
    const fields = socket as unknown as Record<symbol | "_handle", unknown>;
    const handle = fields._handle;
    if (this.#symbols === undefined || socket.constructor !== Socket || !isHandle(handle))
      return false;
    const { buffer, callback } = this.#symbols;
    if (!(buffer in fields) || !(callback in fields)) return false;
    fields[buffer] = this.#read;
    fields[callback] = (size: number): boolean => {
      onBytes(this.#bytes, roomBytes, roomBytes + size);
      return true;
    };
    handle.useUserBuffer(this.#read);
    return true;
  }
}

/** Under which names a socket keeps its `onread`. */
function symbolsOfOnread(): { readonly buffer: symbol; readonly callback: symbol } | undefined {
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const buffer = symbols.find(({ description }) => description === "kBuffer");
  const callback = symbols.find(({ description }) => description === "kBufferCb");
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === "object" &&
    handle !== null &&
    "useUserBuffer" in handle &&
    typeof handle.useUserBuffer === "function"
  );
}
