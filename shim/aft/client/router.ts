/**
 * @module Which replica a transaction goes to: spread when it begins, the same one until it ends.
 *
 * The list of replicas comes from any of them (AFT.MEMBERS) and is refreshed; one that the others
 * declared dead, or that cannot be reached, is dropped with its connections, so that what waits for
 * an answer from it fails at once with "retry" and not after a time-out.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import { StateError } from "#shim/state/port.ts";
import { AftConnection, type AftEndpoint, toStateError } from "./connection.ts";
import type { Connections } from "./port.ts";

export type Spreading = "round-robin" | "least-loaded";

export interface RouterOptions {
  /** Some replicas of the cluster. */
  readonly seeds: readonly string[];
  readonly connection: Omit<AftEndpoint, "endpoint">;
  readonly spreading: Spreading;
  readonly refreshMs: number;
  readonly clock: Clock;
  /** Connects to one replica; default: `AftConnection`. Rejects when it cannot be reached. */
  readonly open?: (endpoint: string) => Promise<Connections>;
}

/** One replica, as this process is connected to it. */
export interface Route {
  readonly endpoint: string;
  readonly connections: Connections;
  /** Transactions of this process that are at it now. */
  active: number;
}

interface ListedMember {
  readonly role: string;
  readonly address: string;
  readonly state: string;
}

export class ReplicaRouter {
  readonly #options: RouterOptions;
  readonly #routes = new Map<string, Route>();
  readonly #opening = new Map<string, Promise<Route>>();
  #known: readonly string[];
  #turn = 0;
  #timer: Timer | undefined;
  #refreshing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: RouterOptions) {
    this.#options = options;
    this.#known = options.seeds;
  }

  /** Rejects with a `StateError` when none of the seeds can be reached. */
  static async open(options: RouterOptions): Promise<ReplicaRouter> {
    const router = new ReplicaRouter(options);
    await router.refresh();
    if (router.#routes.size > 0) {
      router.#scheduleRefresh();
      return router;
    }
    router.close();
    throw unreachable(`none of ${options.seeds.join(", ")} answers`);
  }

  /** Where a new transaction goes. @throws StateError when there is nowhere. */
  choose(): Route {
    const routes = [...this.#routes.values()];
    this.#turn += 1;
    let chosen = routes[this.#turn % Math.max(1, routes.length)];
    if (this.#options.spreading === "least-loaded")
      for (const route of routes)
        if (chosen === undefined || route.active < chosen.active) chosen = route;
    if (chosen === undefined) throw unreachable("no replica can be reached now");
    return chosen;
  }

  /** The replica a transaction is at; connects if this process is not yet. Rejects with `StateError`. */
  at(endpoint: string): Route | Promise<Route> {
    return this.#routes.get(endpoint) ?? this.#open(endpoint);
  }

  /** Others that may be asked about a transaction of that replica. */
  besides(endpoint: string): Route[] {
    return [...this.#routes.values()].filter((route) => route.endpoint !== endpoint);
  }

  /** It did not answer: others get the work until it does again. */
  drop(endpoint: string): void {
    this.#routes.get(endpoint)?.connections.close();
    this.#routes.delete(endpoint);
    void this.refresh();
  }

  /** Reads the list from the first replica that answers, and connects to what is new. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { connections } of this.#routes.values()) connections.close();
    this.#routes.clear();
  }

  #scheduleRefresh(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.schedule(this.#options.refreshMs * 1_000, () => {
      void this.refresh().then(() => {
        this.#scheduleRefresh();
      });
    });
  }

  async #refresh(): Promise<void> {
    const members = await this.#askMembers();
    if (this.#closed) return;
    if (members !== undefined) {
      const serving = members.filter(({ role, state }) => role === "replica" && state === "alive");
      this.#known = serving.map(({ address }) => address);
      for (const { address, state } of members) {
        if (state !== "dead" || this.#known.includes(address)) continue;
        this.#routes.get(address)?.connections.close();
        this.#routes.delete(address);
      }
    }
    const wanted = this.#known.length > 0 ? this.#known : this.#options.seeds;
    // A replica that leaves finishes its transactions; it only gets no new ones.
    if (members !== undefined)
      for (const endpoint of this.#routes.keys())
        if (!wanted.includes(endpoint)) this.#retire(endpoint);
    await Promise.allSettled(wanted.map(async (endpoint) => this.at(endpoint)));
  }

  /** Takes it out of the choice; its connections stay until nothing is at it. */
  #retire(endpoint: string): void {
    const route = this.#routes.get(endpoint);
    if (route === undefined || route.active > 0) return;
    this.#routes.delete(endpoint);
    route.connections.close();
  }

  /** Whoever answers first; all are asked at once, because one of them may be stopped. */
  async #askMembers(): Promise<readonly ListedMember[] | undefined> {
    let first: ListedMember[] | undefined;
    const asked = [...this.#routes.values()].map(async ({ connections }) => {
      const answer = await connections.forSession().send("aft.members", []);
      // Nobody looks at the second one: all of them say the same.
      first ??= JSON.parse(String(answer)) as ListedMember[];
      return first;
    });
    if (asked.length === 0) {
      await Promise.allSettled(this.#options.seeds.map(async (seed) => this.at(seed)));
      return this.#routes.size === 0 ? undefined : this.#askMembers();
    }
    try {
      return await Promise.any(asked);
    } catch {
      return undefined;
    }
  }

  #open(endpoint: string): Promise<Route> {
    const already = this.#opening.get(endpoint);
    if (already !== undefined) return already;
    const { connection } = this.#options;
    const open =
      this.#options.open ??
      ((to: string): Promise<Connections> => AftConnection.open({ endpoint: to, ...connection }));
    const opening = open(endpoint).then(
      (connections) => {
        this.#opening.delete(endpoint);
        const route: Route = { endpoint, connections, active: 0 };
        if (this.#closed) connections.close();
        else this.#routes.set(endpoint, route);
        return route;
      },
      (error: unknown) => {
        this.#opening.delete(endpoint);
        throw toStateError(error);
      },
    );
    this.#opening.set(endpoint, opening);
    return opening;
  }
}

function unreachable(message: string): StateError {
  return new StateError({ code: "replica_unreachable", disposition: "retry", message });
}
