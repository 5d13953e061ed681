/**
 * @module A Redis command that encodes itself into one buffer.
 *
 * ioredis makes a buffer of every piece of text of a command that carries bytes, and then joins them
 * all. Here text between two values is one string until it is written, once, to where it belongs.
 */
import { Command } from "ioredis";

export class EncodedCommand extends Command {
  /** @param name  In lower case: ioredis looks it up in lower case several times. */
  constructor(name: string, args: (string | Buffer)[]) {
    // `null`: replies are bytes.
    super(name, args, { replyEncoding: null });
  }

  override toWritable(): string | Buffer {
    return encodeCommand(this.name, this.args as (string | Buffer)[]);
  }
}

/** An array of bulk strings; text as UTF-8. A string where all of it is text. */
export function encodeCommand(name: string, args: readonly (string | Buffer)[]): string | Buffer {
  const texts: string[] = [];
  const values: Buffer[] = [];
  let bytes = 0;
  let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`;
  for (const arg of args) {
    if (typeof arg === "string") {
      text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
      continue;
    }
    text += `$${arg.length}\r\n`;
    bytes += Buffer.byteLength(text) + arg.length;
    texts.push(text);
    values.push(arg);
    text = "\r\n";
  }
  if (values.length === 0) return text;
  const encoded = Buffer.allocUnsafe(bytes + Buffer.byteLength(text));
  let at = 0;
  for (const [index, value] of values.entries()) {
    at += encoded.write(texts[index] ?? "", at);
    at += value.copy(encoded, at);
  }
  encoded.write(text, at);
  return encoded;
}
