/** @module Replies of the Redis protocol, encoded into parts that are joined once per write. */

/** Text parts are Latin-1. */
export type ReplyPart = string | Uint8Array;

/** Where a connection gathers what it will write. */
export type ReplySink = ReplyPart[];

/** Anything that can be answered. */
export type Reply =
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "bulk"; readonly value: Uint8Array | string }
  | { readonly kind: "null" }
  | { readonly kind: "array"; readonly items: readonly Reply[] }
  /** A map in RESP3, a flat array in RESP2. */
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, Reply])[] };

export const ok: Reply = { kind: "status", text: "OK" };
export const nothing: Reply = { kind: "null" };

export function status(text: string): Reply {
  return { kind: "status", text };
}

export function errorReply(code: string, message: string): Reply {
  return { kind: "error", code, message };
}

export function integer(value: number): Reply {
  return { kind: "integer", value };
}

export function bulk(value: Uint8Array | string): Reply {
  return { kind: "bulk", value };
}

export function array(items: readonly Reply[]): Reply {
  return { kind: "array", items };
}

/** Appends the encoding of a reply. `version` 2 or 3. */
export function encodeReply(sink: ReplySink, reply: Reply, version: number): void {
  switch (reply.kind) {
    case "status":
      sink.push(`+${oneLine(reply.text)}\r\n`);
      return;
    case "error":
      sink.push(`-${oneLine(`${reply.code} ${reply.message}`)}\r\n`);
      return;
    case "integer":
      sink.push(`:${reply.value}\r\n`);
      return;
    case "bulk": {
      const { value } = reply;
      if (typeof value === "string") {
        const bytes = Buffer.from(value);
        sink.push(`$${bytes.length}\r\n`, bytes, "\r\n");
      } else {
        sink.push(`$${value.length}\r\n`, value, "\r\n");
      }
      return;
    }
    case "null":
      sink.push(version === 3 ? "_\r\n" : "$-1\r\n");
      return;
    case "array":
      sink.push(`*${reply.items.length}\r\n`);
      for (const item of reply.items) encodeReply(sink, item, version);
      return;
    case "map":
      sink.push(
        version === 3 ? `%${reply.entries.length}\r\n` : `*${reply.entries.length * 2}\r\n`,
      );
      for (const [name, value] of reply.entries) {
        encodeReply(sink, bulk(name), version);
        encodeReply(sink, value, version);
      }
      return;
  }
}

/** Bytes of all parts together. */
export function sizeOfParts(parts: ReplySink): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}

/** All parts in one buffer, for one write and one system call; `joined` has exactly their size. */
export function joinParts(parts: ReplySink, joined: Buffer): Buffer {
  let offset = 0;
  for (const part of parts) {
    if (typeof part === "string") joined.write(part, offset, "latin1");
    else joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Status and error lines end at the first line break; nothing a user sent may add another. */
function oneLine(text: string): string {
  let line = "";
  for (const character of text) {
    const code = character.charCodeAt(0);
    line += code < 32 || code > 126 ? "?" : character;
  }
  return line;
}
