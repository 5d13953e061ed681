/**
 * @module How parts that cannot talk to each other begin together: objects that one writes and all look for.
 *
 *   filled.json      the first part has filled the store
 *   ready/<n>.json   a part has warmed up
 *   start.json       when to begin, written by the first part when all are ready
 *
 * A part that came anew (its process was killed) writes the same names again. Each object names the plan, so
 * that what an earlier fleet left under the same prefix is noticed.
 */
import { type Clock, delay } from "#kit/clock.ts";
import { z } from "zod";
import { FleetTimeoutError, ForeignPartError, partName, PartStoppedError } from "./errors.ts";
import type { ObjectStore } from "./objects.ts";
import type { FleetPlan } from "./plan.ts";

const pollUs = 250_000;

export interface RendezvousOptions {
  readonly objects: ObjectStore;
  readonly plan: FleetPlan;
  readonly planHash: string;
  readonly index: number;
  readonly attempt: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const message = z.looseObject({ planHash: z.string() });
const startMessage = z.looseObject({ planHash: z.string(), atMs: z.number() });

export class Rendezvous {
  readonly #options: RendezvousOptions;
  readonly #untilUs: number;

  constructor(options: RendezvousOptions) {
    this.#options = options;
    const { clock, plan } = options;
    this.#untilUs = clock.monotonicUs() + plan.gatherSeconds * 1_000_000;
  }

  async sayFilled(): Promise<void> {
    await this.#say("filled.json", {});
  }

  async awaitFilled(): Promise<void> {
    const { plan } = this.#options;
    await this.#until(
      async () => (await this.#read("filled.json", message)) !== undefined || undefined,
      () => `${partName(0, plan.parts)} has not filled the store`,
    );
  }

  async sayReady(): Promise<void> {
    await this.#say(`ready/${this.#options.index + 1}.json`, {});
  }

  /** The agreed start, if there is one yet. */
  async knownStart(): Promise<number | undefined> {
    const { start } = this.#options.plan;
    if (start.kind === "at") return start.atMs;
    return (await this.#read("start.json", startMessage))?.atMs;
  }

  /** By the wall clock; the first part fixes it where the plan does not. */
  async agreeOnStart(): Promise<number> {
    const { plan, index, clock } = this.#options;
    const { start, parts } = plan;
    const known = await this.knownStart();
    if (known !== undefined || start.kind === "at") return known ?? 0;
    if (index > 0)
      return this.#until(
        () => this.knownStart(),
        () => `nobody has said when to start; ${partName(0, parts)} does when all are ready`,
      );
    let missing: number[] = [];
    await this.#until(
      async () => {
        missing = await this.#notReady();
        return missing.length === 0 || undefined;
      },
      () => `${missing.map((one) => partName(one, parts)).join(", ")} did not come`,
    );
    const atMs = Math.ceil(clock.nowMs() + start.graceMs);
    await this.#say("start.json", { atMs });
    return atMs;
  }

  /** Resolves when the wall clock says so, or a little earlier: whoever needs it exactly waits the rest. */
  async waitUntil(atMs: number): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      this.#mustGoOn();
      const leftUs = (atMs - clock.nowMs()) * 1_000;
      if (leftUs <= pollUs) return;
      await delay(clock, Math.min(leftUs - pollUs / 2, pollUs));
    }
  }

  async #notReady(): Promise<number[]> {
    const { objects, plan } = this.#options;
    const there = new Set(await objects.list("ready"));
    const missing: number[] = [];
    for (let index = 0; index < plan.parts; index += 1)
      if (!there.has(`ready/${index + 1}.json`)) missing.push(index);
    return missing;
  }

  async #say(name: string, more: Readonly<Record<string, unknown>>): Promise<void> {
    const { objects, planHash, index, attempt } = this.#options;
    await objects.put(name, JSON.stringify({ planHash, index, attempt, ...more }));
  }

  async #read<T extends { readonly planHash: string }>(
    name: string,
    schema: z.ZodType<T>,
  ): Promise<T | undefined> {
    const { objects, planHash } = this.#options;
    const content = await objects.get(name);
    if (content === undefined) return undefined;
    const parsed = schema.safeParse(readJson(content));
    if (parsed.success && parsed.data.planHash === planHash) return parsed.data;
    throw new ForeignPartError(
      `${name} in ${objects.place} is of another plan; every plan needs a prefix of its own`,
    );
  }

  async #until<T>(look: () => Promise<T | undefined>, why: () => string): Promise<T> {
    const { clock, plan } = this.#options;
    for (;;) {
      this.#mustGoOn();
      const seen = await look();
      if (seen !== undefined) return seen;
      if (clock.monotonicUs() > this.#untilUs)
        throw new FleetTimeoutError(`after ${plan.gatherSeconds} s ${why()}`);
      await delay(clock, pollUs);
    }
  }

  #mustGoOn(): void {
    const { signal, index, plan } = this.#options;
    if (signal.aborted)
      throw new PartStoppedError(`${partName(index, plan.parts)} was stopped before its load`, {
        cause: signal.reason,
      });
  }
}

function readJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(content).toString());
  } catch {
    return undefined;
  }
}
