/**
 * @module AFT over many replicas, for functions: a transaction stays at one replica, whose address
 * travels in its context; a request whose replica is gone starts again elsewhere, and happens once.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import { requestTag } from "#kit/node/request-tag.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import {
  type CommitOutcome,
  type StateContext,
  StateError,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
import { toStateError } from "./connection.ts";
import type { ReplicaRouter, Route } from "./router.ts";
import { AftSession, askOutcome, type SessionSettings, type SessionState } from "./session.ts";

/** Codes with which a replica sends new transactions to others. */
const elsewhere: ReadonlySet<string> = new Set(["joining", "draining", "shutting_down"]);

/** An id whose tag makes all attempts of the request one (`AFT.BEGIN … TXID`). */
export function taggedId(requestId: string, ports: { clock: Clock; prng: Prng }): string {
  const tag = requestTag(Buffer.from(requestId));
  return `${createUuid(ports.clock.nowMs(), ports.prng)}.${tag}`;
}

export function createClusterSystem(
  options: SessionSettings & {
    readonly router: ReplicaRouter;
    readonly clock: Clock;
    readonly prng: Prng;
  },
): StateSystem {
  const { router } = options;
  return {
    name: "aft",
    begin: ({ requestId }) => {
      const transactionId = taggedId(requestId, options);
      const state = { requestId, transactionId, writes: 0, begun: false };
      return new RoutedSession({ ...options, state, at: tryChoose(router) });
    },
    resume: ({ requestId, transactionId, carried }) => {
      const writes = Number(carried["writes"] ?? 0);
      const state = { requestId, transactionId, writes, begun: carried["begun"] === 1 };
      const endpoint = String(carried["replica"] ?? "");
      // A function that did nothing has not begun: any replica will do.
      const at = endpoint === "" ? tryChoose(router) : router.at(endpoint);
      return new RoutedSession({ ...options, state, at });
    },
    outcomeOf: ({ transactionId, carried }: StateContext) =>
      askAnyone(router, transactionId, String(carried["replica"] ?? "")),
    close: () => {
      router.close();
      return Promise.resolve();
    },
  };
}

interface Inner {
  readonly session: AftSession;
  readonly route: Route;
}

/** A session whose replica may still have to be connected to. */
class RoutedSession implements StateSession {
  readonly transactionId: string;
  readonly #router: ReplicaRouter;
  readonly #inner: Inner | Promise<Inner>;
  #ended = false;

  constructor(
    options: SessionSettings & {
      router: ReplicaRouter;
      clock: Clock;
      state: SessionState;
      at: Route | Promise<Route>;
    },
  ) {
    const { router, clock, maxRidingWrites, state, at } = options;
    this.transactionId = state.transactionId;
    this.#router = router;
    const enter = (route: Route): Inner => {
      route.active += 1;
      const settings = { connections: route.connections, clock, maxRidingWrites };
      return { route, session: new AftSession(settings, state) };
    };
    if (!(at instanceof Promise)) {
      this.#inner = enter(at);
      return;
    }
    this.#inner = at.then(enter);
    // Whoever uses the session is told.
    this.#inner.catch(() => {});
  }

  get(key: string): Promise<Bytes | undefined> {
    return this.#at((session) => session.get(key));
  }

  getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#at((session) => session.getMany(keys));
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.#at((session) => session.put(key, value));
  }

  putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    return this.#at((session) => session.putMany(entries));
  }

  async suspend(): Promise<StateContext> {
    const context = await this.#at((session) => session.suspend());
    const { route } = await this.#inner;
    this.#end(route);
    const replica = context.carried["begun"] === 1 ? route.endpoint : "";
    return { ...context, carried: { ...context.carried, replica } };
  }

  async commit(): Promise<CommitOutcome> {
    let route: Route;
    let session: AftSession;
    try {
      ({ route, session } = await this.#inner);
    } catch (error) {
      return { kind: "aborted", reason: toStateError(error).message };
    }
    const outcome = await session.commit();
    this.#end(route);
    if (outcome.kind !== "unknown") return outcome;
    // Any replica can tell, and makes what it says final.
    return askAnyone(this.#router, this.transactionId, route.endpoint);
  }

  async abort(): Promise<void> {
    try {
      const { route, session } = await this.#inner;
      this.#end(route);
      await session.abort();
    } catch {
      // Nothing was begun.
    }
  }

  /** One more promise for each call where the replica is connected to, as it nearly always is. */
  #at<T>(work: (session: AftSession) => Promise<T>): Promise<T> {
    const inner = this.#inner;
    return inner instanceof Promise
      ? inner.then((ready) => this.#within(ready, work))
      : this.#within(inner, work);
  }

  #within<T>({ route, session }: Inner, work: (session: AftSession) => Promise<T>): Promise<T> {
    return work(session).then(undefined, (error: unknown) => {
      const failure = toStateError(error);
      this.#end(route);
      if (failure.code === "replica_unreachable") this.#router.drop(route.endpoint);
      if (elsewhere.has(failure.code)) void this.#router.refresh();
      throw failure;
    });
  }

  #end(route: Route): void {
    if (this.#ended) return;
    this.#ended = true;
    route.active -= 1;
  }
}

function tryChoose(router: ReplicaRouter): Route | Promise<Route> {
  try {
    return router.choose();
  } catch (error) {
    return Promise.reject(error instanceof StateError ? error : toStateError(error));
  }
}

/** Asks the other replicas first: the transaction's own did not answer, or is gone. */
async function askAnyone(
  router: ReplicaRouter,
  transactionId: string,
  endpoint: string,
): Promise<CommitOutcome> {
  let last: CommitOutcome = { kind: "unknown", reason: "no replica can be reached" };
  for (const { connections } of [...router.besides(endpoint), ...router.besides("")]) {
    try {
      last = await askOutcome(connections.forSession(), transactionId);
      if (last.kind !== "unknown") return last;
    } catch (error) {
      last = { kind: "unknown", reason: toStateError(error).message };
    }
  }
  return last;
}
