/**
 * @module An engine that fails on demand, for tests: the n-th call fails before or after its effect,
 * never answers, or answers late.
 *
 * `putSealed` is taken apart into the calls a store without batches would get (each entry, then the
 * seal), so that a fault can hit between any two of them.
 */
import { type Clock, delay } from "#kit/clock.ts";
import { type Effect, type StorageOperation, StorageUnavailableError } from "../errors.ts";
import type { StorageEngine, StorageKey } from "../port.ts";
import { sealInTwoSteps } from "../seal-in-two-steps.ts";

export type Fault =
  /** Refused: surely not done. */
  | "refused"
  /** Failed before the effect, but the caller cannot know that. */
  | "lost-request"
  /** Done, and the acknowledgement lost. */
  | "lost-answer"
  /** Done, and answered after `lateUs`. */
  | "late"
  /** This call and all later ones never answer: the process or the network is gone. */
  | "silence";

export interface FaultyEngine {
  readonly engine: StorageEngine;
  /** Calls so far that a fault could have hit. */
  readonly calls: number;
  /** Hits the call with this number (1, 2, …), counted from now. */
  failCall(number: number, fault: Fault): void;
}

const lateUs = 60_000_000;

export function createFaulty(inner: StorageEngine, clock: Clock): FaultyEngine {
  let calls = 0;
  let target = 0;
  let fault: Fault | undefined;
  let silent = false;

  const hit = async <T>(
    operation: StorageOperation,
    key: StorageKey | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    calls += 1;
    const struck = calls === target ? fault : undefined;
    const fail = (effect: Effect): never => {
      const cause = new Error(`injected fault: ${struck}`);
      throw new StorageUnavailableError({ engine: inner.name, operation, key, effect, cause });
    };
    if (silent || struck === "silence") {
      silent = true;
      return new Promise<never>(() => {});
    }
    if (struck === "refused") return fail("none");
    if (struck === "lost-request") return fail("unknown");
    const result = await work();
    if (struck === "lost-answer") return fail("unknown");
    if (struck === "late") await delay(clock, lateUs);
    return result;
  };

  const engine: StorageEngine = {
    name: inner.name,
    capabilities: { ...inner.capabilities, atomicMultiPut: false, orderedPipeline: false },
    get: (key) => hit("get", key, () => inner.get(key)),
    multiGet: (keys) => hit("multiGet", keys[0], () => inner.multiGet(keys)),
    put: (key, value) => hit("put", key, () => inner.put(key, value)),
    multiPut: async (entries) => {
      for (const { key, value } of entries) await hit("multiPut", key, () => inner.put(key, value));
    },
    putIfAbsent: (key, value) => hit("putIfAbsent", key, () => inner.putIfAbsent(key, value)),
    putSealed: (groups) => sealInTwoSteps(engine, groups),
    delete: (key) => hit("delete", key, () => inner.delete(key)),
    multiDelete: async (keys) => {
      for (const key of keys) await hit("multiDelete", key, () => inner.delete(key));
    },
    list: (prefix, options) => hit("list", undefined, () => inner.list(prefix, options)),
    close: () => inner.close(),
  };
  return {
    engine,
    get calls() {
      return calls;
    },
    failCall: (number, kind) => {
      target = calls + number;
      fault = kind;
    },
  };
}
