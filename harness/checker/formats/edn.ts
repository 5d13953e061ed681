/**
 * @module Reads one EDN value, as far as recorded operations need it.
 *
 * Keywords and symbols become text (`:ok`, `foo`), strings become text, tags are dropped (`#inst "…"` is
 * its string), maps become `Map`, vectors, lists and sets become arrays. Integers that a double cannot
 * hold become text. `#_` discards, `;` comments.
 */

export type EdnValue =
  null | boolean | number | string | readonly EdnValue[] | ReadonlyMap<EdnValue, EdnValue>;

/** What is wrong and where (zero-based index in the text). */
export class EdnError extends Error {
  readonly at: number;

  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

const maxDepth = 64;
const token = /[^\s,()[\]{}";]+/y;
const blank = /(?:[\s,]|;[^\n]*)*/y;

/** The one value of the text. Throws `EdnError`. */
export function readEdn(text: string): EdnValue {
  const reader = new EdnReader(text);
  const value = reader.value(0);
  reader.mustEnd();
  return value;
}

class EdnReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  mustEnd(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw new EdnError(this.#at, "something follows the value");
  }

  value(depth: number): EdnValue {
    if (depth > maxDepth) throw new EdnError(this.#at, `nested deeper than ${maxDepth}`);
    this.#skip();
    const letter = this.#text[this.#at];
    switch (letter) {
      case undefined:
        throw new EdnError(this.#at, "the value is missing");
      case "[":
        return this.#sequence("]", depth);
      case "(":
        return this.#sequence(")", depth);
      case "{":
        return this.#map(depth);
      case '"':
        return this.#string();
      case "\\":
        return this.#character();
      case "#":
        return this.#dispatch(depth);
      default:
        return this.#atom();
    }
  }

  #skip(): void {
    for (;;) {
      blank.lastIndex = this.#at;
      blank.exec(this.#text);
      this.#at = blank.lastIndex;
      if (!this.#text.startsWith("#_", this.#at)) return;
      this.#at += 2;
      this.value(1);
    }
  }

  #sequence(close: string, depth: number): EdnValue[] {
    this.#at += 1;
    const values: EdnValue[] = [];
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === close) {
        this.#at += 1;
        return values;
      }
      if (this.#at >= this.#text.length) throw new EdnError(this.#at, `no closing ${close}`);
      values.push(this.value(depth + 1));
    }
  }

  #map(depth: number): Map<EdnValue, EdnValue> {
    const start = this.#at;
    const values = this.#sequence("}", depth);
    if (values.length % 2 === 1) throw new EdnError(start, "a key of this map has no value");
    const map = new Map<EdnValue, EdnValue>();
    for (let index = 0; index < values.length; index += 2)
      map.set(values[index] ?? null, values[index + 1] ?? null);
    return map;
  }

  #string(): string {
    const start = this.#at;
    let text = "";
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const letter = this.#text[this.#at] ?? "";
      if (letter === '"') {
        this.#at += 1;
        return text;
      }
      if (letter !== "\\") {
        text += letter;
        continue;
      }
      this.#at += 1;
      const escaped = this.#text[this.#at] ?? "";
      const meaning = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" }[escaped];
      if (meaning !== undefined) text += meaning;
      else if (escaped === "u") text += this.#unicode();
      else throw new EdnError(this.#at, `unknown escape \\${escaped}`);
    }
    throw new EdnError(start, "the string does not end");
  }

  #unicode(): string {
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new EdnError(this.#at, "\\u needs four digits");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #character(): string {
    const start = this.#at;
    this.#at += 2;
    token.lastIndex = this.#at;
    const rest = token.exec(this.#text)?.[0] ?? "";
    this.#at += rest.length;
    return this.#text.slice(start, this.#at);
  }

  #dispatch(depth: number): EdnValue {
    if (this.#text[this.#at + 1] === "{") {
      this.#at += 1;
      return this.#sequence("}", depth);
    }
    token.lastIndex = this.#at + 1;
    const tag = token.exec(this.#text)?.[0];
    if (tag === undefined) throw new EdnError(this.#at, "# without a tag");
    this.#at += 1 + tag.length;
    return this.value(depth + 1);
  }

  #atom(): EdnValue {
    token.lastIndex = this.#at;
    const text = token.exec(this.#text)?.[0];
    if (text === undefined)
      throw new EdnError(this.#at, `unexpected ${this.#text[this.#at] ?? ""}`);
    this.#at += text.length;
    if (text === "nil") return null;
    if (text === "true" || text === "false") return text === "true";
    if (/^[+-]?\d+N?$/.test(text)) return integer(text.replace("N", ""));
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$/.test(text)) return Number(text.replace("M", ""));
    return text;
  }
}

function integer(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text).toString();
}
