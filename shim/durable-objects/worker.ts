/**
 * @module The worker that workerd runs: a durable object for each key, and the way to it. Bundled when the server is
 * started (`harness/services/workerd.ts`); never imported.
 *
 * What a user would write. An object's storage is a SQLite database of its own. The value and the mark that a write
 * was done are written in one transaction of it, and workerd's output gate holds the answer back until
 * that is written.
 */
import {
  decodeWrite,
  encodeFound,
  retentionMs,
  type WriteHead,
  type Writer,
} from "#shim/objects/frame.ts";

/** Of the runtime's types, what is used here. */
interface SqlCursor<T> extends Iterable<T> {
  toArray(): T[];
}
interface ObjectState {
  readonly storage: {
    readonly sql: { exec<T>(query: string, ...bindings: unknown[]): SqlCursor<T> };
    transactionSync<T>(work: () => T): T;
  };
}
interface ObjectStub {
  fetch(request: Request): Promise<Response>;
}
interface Environment {
  readonly VALUES: {
    idFromName(name: string): unknown;
    get(id: unknown): ObjectStub;
  };
}

/** SQLite's, of what is too long for it. */
const tooBig = /too big|SQLITE_TOOBIG/i;

export class ValueObject {
  readonly #storage: ObjectState["storage"];

  constructor(state: ObjectState) {
    this.#storage = state.storage;
    this.#storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS value (one INTEGER PRIMARY KEY CHECK (one = 1), bytes BLOB NOT NULL);
      CREATE TABLE IF NOT EXISTS done (
        step TEXT PRIMARY KEY, attempt TEXT NOT NULL, call TEXT NOT NULL, at INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS done_at ON done (at);`);
  }

  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname.startsWith("/read/"))
      return new Response(encodeFound(this.#value()));
    const { head, value } = decodeWrite(new Uint8Array(await request.arrayBuffer()));
    try {
      return Response.json(this.#write(head, value));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return new Response(message, { status: tooBig.test(message) ? 413 : 500 });
    }
  }

  #value(): Uint8Array | undefined {
    const rows = this.#storage.sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM value");
    const [row] = rows.toArray();
    return row === undefined ? undefined : new Uint8Array(row.bytes);
  }

  #write({ request, step, attempt, call }: WriteHead, value: Uint8Array): Writer {
    const { sql } = this.#storage;
    const name = `${request}/${step}`;
    const now = Date.now();
    return this.#storage.transactionSync(() => {
      const done = sql.exec<Writer>("SELECT attempt, call FROM done WHERE step = ?", name);
      const [known] = done.toArray();
      if (known !== undefined) return known;
      sql.exec("INSERT OR REPLACE INTO value VALUES (1, ?)", value);
      sql.exec("INSERT INTO done VALUES (?, ?, ?, ?)", name, attempt, call, now);
      sql.exec("DELETE FROM done WHERE at < ?", now - retentionMs);
      return { attempt, call };
    });
  }
}

export default {
  fetch(request: Request, { VALUES }: Environment): Promise<Response> {
    const [, , name = ""] = new URL(request.url).pathname.split("/");
    return VALUES.get(VALUES.idFromName(name)).fetch(request);
  },
};
