/**
 * @module Closed-loop clients at scale: the paper's transactions, each at the next replica in turn, with the trips
 * that the production client makes: one for each read, one for the commit, writes riding along.
 */
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { invocationProfiles, sampleUs } from "#shim/storage/emulated/profiles.ts";
import type { PlannedOperation, PlannedRequest, Workload } from "#workloads/port.ts";
import type { SimLoop } from "../loop.ts";
import type { SimNetwork } from "../network.ts";
import type { Executor } from "./cores.ts";
import type { ScaleCosts } from "./costs.ts";

/** Where a transaction goes. */
export interface Target {
  readonly worker: Executor;
  readonly replica: Replica;
  readonly nowMs: () => number;
}

export interface LoadOptions {
  readonly loop: SimLoop;
  readonly network: SimNetwork;
  readonly prng: Prng;
  readonly costs: ScaleCosts;
  readonly workload: Workload;
  readonly clients: number;
  readonly targets: readonly Target[];
  /** Where function bodies run; absent: on machines of their own, each as fast as it takes. */
  readonly host: Executor | undefined;
  readonly store: Executor | undefined;
}

const value = Buffer.from("v");
const owner = 0;
/** A call that only takes its place in a queue. */
const toQueue = { kind: "command", owner, digest: 0, plain: true } as const;

export class ScaleLoad {
  readonly #options: LoadOptions;
  readonly #tripUs: number;
  readonly #stepUs: number;
  /** Response times in microseconds of what ended while `isCounting`. */
  readonly responsesUs: number[] = [];
  isCounting = false;
  aborted = 0;
  #turn = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { functions } = options.workload.request(0, 0);
    const reads = functions.flat().filter(({ kind }) => kind === "read").length;
    this.#tripUs = options.costs.replicaUs / (reads + 1);
    this.#stepUs = options.costs.loadUs / functions.length;
  }

  start(): void {
    for (let client = 0; client < this.#options.clients; client += 1) void this.#runClient(client);
  }

  async #runClient(client: number): Promise<void> {
    const { loop, workload, prng } = this.#options;
    const own = prng.fork(`client ${client}`);
    for (let index = 0; ; index += 1) {
      const startUs = loop.nowUs;
      const committed = await this.#transaction(workload.request(client, index), own);
      if (!this.isCounting) continue;
      if (committed) this.responsesUs.push(loop.nowUs - startUs);
      else this.aborted += 1;
    }
  }

  async #transaction(request: PlannedRequest, prng: Prng): Promise<boolean> {
    const { targets, costs } = this.#options;
    const target = targets[this.#turn % targets.length];
    this.#turn += 1;
    if (target === undefined) throw new Error("there are no replicas");
    const transactionId = createUuid(target.nowMs(), prng);
    const session: Session = { target, transactionId, written: [], begun: false };
    const { shape } = invocationProfiles.lambda;
    // Waits that follow one another are one event.
    let waitUs = 0;
    for (const [place, operations] of request.functions.entries()) {
      const invocationUs = sampleUs(shape, prng);
      await this.#work(waitUs + invocationUs / 2);
      for (const operation of operations) await this.#step(session, operation, request.requestId);
      const isLast = place === request.functions.length - 1;
      if (isLast && !(await this.#commit(session))) return false;
      waitUs = invocationUs / 2;
    }
    await this.#pause(waitUs + costs.otherUs);
    return true;
  }

  async #step(session: Session, operation: PlannedOperation, requestId: string): Promise<void> {
    const { target, transactionId, written } = session;
    const { replica } = target;
    if (operation.kind === "write") {
      written.push(operation.key);
      return;
    }
    if (operation.kind !== "read") throw new Error(`no ${operation.kind} at scale`);
    const { key } = operation;
    await this.#trip(target, () => {
      if (!session.begun) replica.begin({ transactionId, requestId });
      session.begun = true;
      return replica.get({ transactionId, key });
    });
  }

  async #commit({ target, transactionId, written }: Session): Promise<boolean> {
    const { costs, store } = this.#options;
    const { replica } = target;
    // What the store spends takes cores from others, on a machine that they share.
    store?.do(costs.storeUs, () => {});
    const answer = await this.#trip(target, async () => {
      for (const [sequence, key] of written.entries())
        await replica.put({ transactionId, key, value, sequence });
      return replica.commit({ transactionId });
    });
    return answer.kind === "committed";
  }

  /** To a replica and back. */
  #trip<T>({ worker }: Target, work: () => T | Promise<T>): Promise<T> {
    const { loop, network } = this.#options;
    const what = { kind: "command", owner, digest: 0 } as const;
    return new Promise((resolve) => {
      const back = (result: T): void => {
        loop.after(network.delayUs(), what, () => {
          resolve(result);
        });
      };
      loop.after(network.delayUs(), toQueue, () => {
        worker.do(this.#tripUs, () => {
          const result = work();
          if (result instanceof Promise) void result.then(back);
          else back(result);
        });
      });
    });
  }

  /** A wait, then a function's own CPU. */
  async #work(waitUs: number): Promise<void> {
    const { host } = this.#options;
    if (host === undefined) return this.#pause(waitUs + this.#stepUs);
    await this.#pause(waitUs);
    return new Promise((resolve) => {
      host.do(this.#stepUs, resolve);
    });
  }

  #pause(delayUs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.loop.after(delayUs, { kind: "load", owner, digest: 0 }, resolve);
    });
  }
}

interface Session {
  readonly target: Target;
  readonly transactionId: string;
  readonly written: string[];
  begun: boolean;
}
