/**
 * @module Formats in which value 0 stands for the initial value of every key, so that no transaction
 * can write it: a read of 0 could then be of either.
 *
 * One exception, because some recorders spell the initial transaction out: a transaction that writes
 * nothing but zeros, first of the file or alone in its session, is that one, and dropped (every
 * history has it). Any other write of 0 is refused: tools disagree about its meaning.
 */
import type { Name } from "../names.ts";
import { FormatError, type Position } from "./format.ts";

interface Held {
  readonly session: Name;
  readonly position: Position;
  readonly firstOfFile: boolean;
}

export class ZeroWrites {
  readonly #file: string;
  readonly #held = new Map<Name, Held>();

  constructor(file: string) {
    this.#file = file;
  }

  /** A write of 0 by a transaction that has done nothing else so far. Throws `FormatError`. */
  hold(name: Name, held: Held): void {
    const known = this.#held.get(name);
    if (known === undefined) this.#held.set(name, held);
    else if (known.session !== held.session) throw this.refuse(held.position);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** Call before a transaction does anything else. Throws `FormatError`. */
  mustNotHold(name: Name): void {
    const held = this.#held.get(name);
    if (held !== undefined) throw this.refuse(held.position);
  }

  /** Throws `FormatError` unless all that were held are initial transactions. */
  finish(sessionHasMore: (session: Name) => boolean): void {
    const sessions = new Set<Name>();
    for (const { session, position, firstOfFile } of this.#held.values()) {
      const alone = !sessions.has(session) && !sessionHasMore(session);
      sessions.add(session);
      if (!firstOfFile && !alone) throw this.refuse(position);
    }
  }

  refuse(position: Position): FormatError {
    const what =
      "writes value 0, which stands for the initial value; only an initial transaction " +
      "(nothing but zeros, first of the file or alone in its session) may";
    return new FormatError({ file: this.#file, position, what });
  }
}
