/**
 * @module A client's connection to a replica, and the pool of them: the port of the client's sessions.
 *
 * As TCP with a client library behind it: commands arrive in order or not at all, answers come in order but for those
 * that are announced (AFT.LATER); when the connection ends, what was not answered rejects and may or may not have happened; the next
 * command opens another connection.
 */
import type { Prng } from "#kit/prng.ts";
import { encodeCommand } from "#kit/node/encoded-command.ts";
import type { Argument, CommandConnection, Connections } from "#shim/aft/client/port.ts";
import type { Timer } from "#kit/clock.ts";
import { later, type Reply } from "#shim/aft/server/reply.ts";
import type { SimNetwork, SimStream } from "./network.ts";
import type { SimProcess } from "./process.ts";
import { ServerConnection, type ServingReplica, toClientValue } from "./server.ts";
import { digestPair, digestText } from "./trace.ts";

/** A connection ended before an answer came. */
class ConnectionLost extends Error {}

export interface Wiring {
  readonly network: SimNetwork;
  /** Who serves at an address now. */
  readonly servingAt: (address: string) => ServingReplica | undefined;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** From the first command after the one before it ended, until it ends. */
class Life {
  server: ServerConnection | undefined;
  serving: ServingReplica | undefined;
  readonly out: SimStream;
  readonly back: SimStream;
  readonly pending: Pending[] = [];
  /** Answers that were announced, by number. */
  readonly announced = new Map<number, Pending>();
  announcements = 0;
  ended = false;

  constructor(out: SimStream, back: SimStream) {
    this.out = out;
    this.back = back;
  }

  get isAnswerDue(): boolean {
    return this.pending.length > 0 || this.announced.size > 0;
  }
}

export class SimConnection implements CommandConnection {
  readonly #wiring: Wiring;
  readonly #host: SimProcess;
  readonly #address: string;
  readonly #timeoutUs: number;
  readonly #lateAnswers: boolean;
  readonly #prng: Prng;
  #life: Life | undefined;
  #timer: Timer | undefined;
  #heardUs = 0;
  #closed = false;

  constructor(options: {
    wiring: Wiring;
    host: SimProcess;
    address: string;
    timeoutUs: number;
    lateAnswers: boolean;
    prng: Prng;
  }) {
    this.#wiring = options.wiring;
    this.#host = options.host;
    this.#address = options.address;
    this.#timeoutUs = options.timeoutUs;
    this.#lateAnswers = options.lateAnswers;
    this.#prng = options.prng;
  }

  send(command: string, args: Argument[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ConnectionLost("the connection is closed"));
    const life = (this.#life ??= this.#open());
    const encoded = encodeCommand(command, args);
    const bytes = typeof encoded === "string" ? Buffer.from(encoded) : encoded;
    const digest = digestPair(digestText(command), digestText(String(args[0])));
    return new Promise((resolve, reject) => {
      const wasDue = life.isAnswerDue;
      life.pending.push({ resolve, reject });
      if (!wasDue) this.#watch();
      life.out.send(digest, () => {
        this.#arrive(life, bytes);
      });
    });
  }

  /** Breaks it, as a network does; what was on its way there may still arrive. */
  reset(): void {
    if (this.#life !== undefined) this.#end(this.#life, "the connection was reset");
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }

  #open(): Life {
    const { network } = this.#wiring;
    const { name, owner } = this.#host;
    return new Life(
      network.stream(name, this.#address, owner),
      network.stream(this.#address, name, owner),
    );
  }

  /** At the server's machine. */
  #arrive(life: Life, bytes: Buffer): void {
    const serving = this.#wiring.servingAt(this.#address);
    life.serving ??= serving;
    if (serving === undefined || serving !== life.serving) {
      // Nobody listens, or somebody else than before: the machine answers with a reset.
      life.back.send(0, () => {
        this.#host.receive(() => {
          this.#end(life, "connection refused");
        });
      });
      return;
    }
    life.server ??= new ServerConnection(serving, this.#lateAnswers, (reply) => {
      life.back.send(digestText(reply.kind), () => {
        this.#answer(life, reply);
      });
    });
    const { server } = life;
    serving.process.receive(() => {
      server.feed(bytes);
    });
  }

  #answer(life: Life, reply: Reply): void {
    this.#host.receive(() => {
      if (life.ended) return;
      this.#heardUs = this.#host.monotonicUs();
      const pending = takePending(life, reply);
      if (!life.isAnswerDue) this.#timer?.cancel();
      const value = toClientValue(reply);
      if (value instanceof Error) pending?.reject(value);
      else pending?.resolve(value);
    });
  }

  /** A replica that is silent for long while an answer is due is given up. */
  #watch(): void {
    this.#timer?.cancel();
    const life = this.#life;
    this.#heardUs = this.#host.monotonicUs();
    const look = (): void => {
      if (life === undefined || life.ended || !life.isAnswerDue) return;
      const silentUs = this.#host.monotonicUs() - this.#heardUs;
      if (silentUs >= this.#timeoutUs) this.#end(life, "no answer in time");
      else this.#timer = this.#host.schedule(this.#timeoutUs - silentUs, look);
    };
    this.#timer = this.#host.schedule(this.#timeoutUs, look);
  }

  #end(life: Life, why: string): void {
    if (life.ended) return;
    life.ended = true;
    if (this.#life === life) this.#life = undefined;
    this.#timer?.cancel();
    life.back.close();
    if (this.#prng.next() < 0.5) life.out.close();
    for (const { reject } of [...life.announced.values(), ...life.pending.splice(0)])
      reject(new ConnectionLost(why));
    life.announced.clear();
  }
}

/** Whose answer this is; nobody's yet where it only announces one. */
function takePending(life: Life, reply: Reply): Pending | undefined {
  if (reply.kind === "push") {
    const pending = life.announced.get(reply.number);
    life.announced.delete(reply.number);
    return pending;
  }
  const pending = life.pending.shift();
  if (reply !== later || pending === undefined) return pending;
  life.announcements += 1;
  life.announced.set(life.announcements, pending);
  return undefined;
}

/** Connections of one host to one replica: production has one, but other clients spread as they like. */
export class SimPool implements Connections {
  readonly #connections: readonly SimConnection[];
  #turn = 0;

  private constructor(connections: readonly SimConnection[]) {
    this.#connections = connections;
  }

  /** Rejects when nobody answers there. */
  static async open(
    options: ConstructorParameters<typeof SimConnection>[0] & { readonly connections: number },
  ): Promise<SimPool> {
    const { connections, prng } = options;
    const pool = new SimPool(
      Array.from(
        { length: connections },
        (_unused, index) => new SimConnection({ ...options, prng: prng.fork(`${index}`) }),
      ),
    );
    try {
      await pool.#at(0).send("ping", []);
      return pool;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  forSession(): SimConnection {
    this.#turn += 1;
    return this.#at(this.#turn);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Breaks all of them at once. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  #at(turn: number): SimConnection {
    const connection = this.#connections[turn % this.#connections.length];
    if (connection === undefined) throw new Error("a pool has a connection");
    return connection;
  }
}
