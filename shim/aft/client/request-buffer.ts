/** @module Where commands are gathered, as arrays of bulk strings, until they leave in one write. */
import { RespBuffer } from "#kit/node/resp-buffer.ts";
import type { Argument } from "./port.ts";

const dollar = 36;
const asterisk = 42;

/** Longest text that is measured and written in one go, character by character. */
const shortText = 128;

export class RequestBuffer extends RespBuffer {
  /** @param name  Printable ASCII. */
  command(name: string, args: readonly Argument[]): void {
    this.header(asterisk, args.length + 1);
    this.header(dollar, name.length);
    this.ascii(name);
    this.endLine();
    for (const arg of args) {
      if (typeof arg !== "string") this.#value(arg);
      else if (isShortAscii(arg)) {
        this.header(dollar, arg.length);
        this.ascii(arg);
        this.endLine();
      } else this.#value(Buffer.from(arg));
    }
  }

  #value(value: Uint8Array): void {
    this.header(dollar, value.length);
    this.bytes(value);
    this.endLine();
  }
}

function isShortAscii(text: string): boolean {
  if (text.length > shortText) return false;
  for (let index = 0; index < text.length; index += 1)
    if (text.charCodeAt(index) > 127) return false;
  return true;
}
