/**
 * @module Clients: one request after another, tried again until it has an answer; requests that are
 * delivered twice, and functions that were given up and go on.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import type { PlannedRequest } from "#workloads/port.ts";
import {
  type AttemptEnd,
  type AttemptFate,
  type FunctionHost,
  type GrowingRecord,
  runAttempt,
} from "./attempt.ts";
import type { SimConfig } from "./config.ts";
import { keyName, RequestPlanner } from "./requests.ts";

const maxAttempts = 12;
const firstPauseUs = 20_000;
const longestPauseUs = 800_000;
/** An attempt of which nothing is heard is given up after this. */
const giveUpUs = 6_000_000;
/** One that stops is given up so long after it began. */
const stoppedGiveUpUs = 250_000;

export interface ClientsOptions {
  readonly config: SimConfig;
  readonly hosts: readonly FunctionHost[];
  readonly prng: Prng;
  readonly trueClock: Clock;
  /** Told of every answer about a transaction. */
  readonly onAnswer: (record: RecordedTransaction, end: AttemptEnd) => void;
  readonly onBug: (error: unknown) => void;
}

export class Clients {
  readonly records: GrowingRecord[] = [];
  /** Codes of errors that functions met. */
  readonly errors = new Map<string, number>();
  requestsDone = 0;
  requestsGivenUp = 0;
  /** Some attempt was given up and went on beside the next one of its client: no session is in order then. */
  hasOverlaps = false;
  readonly #options: ClientsOptions;
  #running = 0;
  /** Attempts under way, those given up included. */
  #attempts = 0;
  #stopped = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#options.config.prefilled) {
      this.#startClients();
      return;
    }
    this.#running += 1;
    void this.#fill().finally(() => {
      this.#running -= 1;
      this.#startClients();
    });
  }

  #startClients(): void {
    const { config, prng } = this.#options;
    for (let client = 0; client < config.clients; client += 1) {
      this.#running += 1;
      void this.#runClient(client, prng.fork(`client ${client}`)).finally(() => {
        this.#running -= 1;
      });
    }
  }

  /** No further requests, no further attempts. */
  stop(): void {
    this.#stopped = true;
  }

  get areDone(): boolean {
    return this.#running === 0;
  }

  get isQuiet(): boolean {
    return this.areDone && this.#attempts === 0;
  }

  /** Writes every key, one by one, as buffers may be small; and waits until all have heard of them. */
  async #fill(): Promise<void> {
    const { config, prng, trueClock } = this.#options;
    const fates = prng.fork("fill");
    for (let rank = 0; rank < config.keys && !this.#stopped; rank += 1) {
      const key = keyName(rank);
      const request: PlannedRequest = {
        requestId: `fill-${key}`,
        functions: [[{ kind: "write", key }]],
        writeSet: [key],
        payloadSeed: 0,
      };
      await this.#runRequest(config.clients, request, fates);
    }
    await delay(trueClock, 3_000 * config.cluster.multicastMs);
  }

  async #runClient(client: number, prng: Prng): Promise<void> {
    const { config, trueClock } = this.#options;
    const planner = new RequestPlanner(prng.fork("requests"), config);
    const fates = prng.fork("fates");
    const pauses = prng.fork("pauses");
    for (let index = 0; index < config.requests && !this.#stopped; index += 1) {
      await delay(trueClock, pauses.nextInt(2 * config.thinkMs * 1_000 + 1));
      await this.#runRequest(client, planner.next(client), fates);
    }
  }

  async #runRequest(client: number, request: PlannedRequest, prng: Prng): Promise<void> {
    const { config, trueClock } = this.#options;
    const twice = prng.next() < config.functions.duplicate;
    let pauseUs = firstPauseUs;
    for (let attempt = 0; attempt < maxAttempts && !this.#stopped; attempt += 1) {
      const first = this.#attempt({ client, request, attempt: 2 * attempt, prng });
      const second =
        twice && attempt === 0
          ? this.#attempt({ client, request, attempt: 2 * attempt + 1, prng })
          : undefined;
      const ends = await Promise.all(second === undefined ? [first] : [first, second]);
      if (ends.some(isDone)) {
        this.requestsDone += 1;
        return;
      }
      await delay(trueClock, pauseUs / 2 + prng.nextInt(pauseUs));
      pauseUs = Math.min(2 * pauseUs, longestPauseUs);
    }
    this.requestsGivenUp += 1;
  }

  /** Its end, or `undefined` when it is given up; it may go on all the same. */
  async #attempt(options: {
    readonly client: number;
    readonly request: PlannedRequest;
    readonly attempt: number;
    readonly prng: Prng;
  }): Promise<AttemptEnd | undefined> {
    const { client, request, attempt, prng } = options;
    const { hosts, trueClock, onAnswer, onBug } = this.#options;
    const fate = this.#drawFate(request, prng);
    const operations: RecordedOperation[] = [];
    const record: GrowingRecord = {
      requestId: request.requestId,
      attempt,
      transactionId: "",
      session: client,
      // Without a commit nothing of it ever takes effect.
      outcome: this.#options.config.system === "direct" ? "unknown" : "aborted",
      writeSet: request.writeSet,
      operations,
    };
    this.records.push(record);
    const one = hosts[prng.nextInt(hosts.length)];
    const other = hosts[prng.nextInt(hosts.length)];
    if (one === undefined || other === undefined) throw new Error("functions need hosts");
    this.#attempts += 1;
    let ended = false;
    const ending = runAttempt({
      request,
      hosts: [one, other],
      fate,
      record,
      operations,
      trueClock,
    }).then(
      (end) => {
        ended = true;
        this.#attempts -= 1;
        this.#count(end);
        onAnswer(record, end);
        return end;
      },
      (error: unknown) => {
        ended = true;
        this.#attempts -= 1;
        onBug(error);
        return undefined;
      },
    );
    const waitUs = fate.isGivenUp ? stoppedGiveUpUs : giveUpUs;
    const givenUp = delay(trueClock, waitUs).then(() => {
      this.hasOverlaps ||= !ended;
      return undefined;
    });
    return Promise.race([ending, givenUp]);
  }

  #drawFate(request: PlannedRequest, prng: Prng): AttemptFate {
    const { crash, zombie, zombieMs, slow, slowMs } = this.#options.config.functions;
    // Before each operation, at each function's end, and after the commit.
    let places = request.functions.length + 1;
    for (const { length } of request.functions) places += length;
    const crashes = prng.next() < crash;
    const stops = prng.next() < zombie;
    const lingers = prng.next() < slow;
    const longestMs = stops ? zombieMs : lingers ? slowMs : 0;
    return {
      ...(crashes && { crashAt: prng.nextInt(places) }),
      ...(longestMs > 0 && { stopAt: prng.nextInt(places) }),
      stopUs: longestMs > 0 ? prng.nextInt(longestMs * 1_000) : 0,
      isGivenUp: stops,
    };
  }

  #count(end: AttemptEnd): void {
    if (end.kind !== "failed") return;
    const { code } = end.error;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}

/** Whether the client has its answer. */
function isDone(end: AttemptEnd | undefined): boolean {
  return end?.kind === "ended" && end.outcome.kind === "committed";
}
