/** @module Replies of the Redis protocol, and their encoding. */
import type { RespBuffer } from "#kit/node/resp-buffer.ts";

/** Anything that can be answered. */
export type Reply =
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "bulk"; readonly value: Uint8Array | string }
  | { readonly kind: "null" }
  | { readonly kind: "array"; readonly items: readonly Reply[] }
  /** An answer that was announced (`answer-order.ts`). */
  | { readonly kind: "push"; readonly number: number; readonly reply: Reply }
  /** A map in RESP3, a flat array in RESP2. */
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, Reply])[] };

export const ok: Reply = { kind: "status", text: "OK" };
export const nothing: Reply = { kind: "null" };
export const later: Reply = { kind: "status", text: "LATER" };

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

const typeOf = { array: 42, bulk: 36, integer: 58, map: 37, push: 62 } as const;

/** Appends the encoding of a reply. `version` 2 or 3. */
export function encodeReply(out: RespBuffer, reply: Reply, version: number): void {
  switch (reply.kind) {
    case "status":
      out.ascii(reply === ok ? "+OK" : reply === later ? "+LATER" : `+${oneLine(reply.text)}`);
      out.endLine();
      return;
    case "error":
      out.ascii(`-${oneLine(`${reply.code} ${reply.message}`)}`);
      out.endLine();
      return;
    case "integer":
      out.header(typeOf.integer, reply.value);
      return;
    case "bulk": {
      const bytes = typeof reply.value === "string" ? Buffer.from(reply.value) : reply.value;
      out.header(typeOf.bulk, bytes.length);
      out.bytes(bytes);
      out.endLine();
      return;
    }
    case "null":
      out.ascii(version === 3 ? "_" : "$-1");
      out.endLine();
      return;
    case "array":
      out.header(typeOf.array, reply.items.length);
      for (const item of reply.items) encodeReply(out, item, version);
      return;
    case "push":
      out.header(typeOf.push, 2);
      out.header(typeOf.integer, reply.number);
      encodeReply(out, reply.reply, version);
      return;
    case "map":
      if (version === 3) out.header(typeOf.map, reply.entries.length);
      else out.header(typeOf.array, reply.entries.length * 2);
      for (const [name, value] of reply.entries) {
        encodeReply(out, bulk(name), version);
        encodeReply(out, value, version);
      }
      return;
  }
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
