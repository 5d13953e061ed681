/**
 * Goal    A function that is done is gone through again and changes nothing; one that is not the same is refused.
 * Method  Functions that remember in a map and are killed by nobody: what products do is tested over real ones.
 */
import { describe, expect, it } from "vitest";
import type { StateContext, StateSession } from "./port.ts";
import { StateError } from "./port.ts";
import {
  type FunctionResult,
  numberOf,
  outcomeUnknown,
  rememberedOutcome,
  type RememberedFunction,
  RememberingSession,
} from "./remembered.ts";

/** What is remembered stands in `results`, by request and number of the function. */
class Memory {
  readonly values = new Map<string, string>();
  readonly results = new Map<string, string>();
  readonly givenUp: string[] = [];
  isForgetful = false;
  #attempts = 0;

  begin(requestId: string, maxRememberedBytes?: number): StateSession {
    const transactionId = `attempt ${(this.#attempts += 1)}`;
    const context = { system: "memory", requestId, transactionId, carried: {} };
    return this.resume(context, maxRememberedBytes);
  }

  resume(context: StateContext, maxRememberedBytes = 100): StateSession {
    return new RememberingSession(context, {
      function: this.#functionOf(context),
      maxRememberedBytes,
    });
  }

  resultOf(context: StateContext): FunctionResult | undefined {
    const text = this.results.get(nameOf(context));
    return text === undefined ? undefined : (JSON.parse(text) as FunctionResult);
  }

  #functionOf(context: StateContext): RememberedFunction {
    const read = (keys: readonly string[]) =>
      Promise.resolve(
        keys.map((key) => {
          const value = this.values.get(key);
          return value === undefined ? undefined : Buffer.from(value);
        }),
      );
    return {
      begin: () => Promise.resolve(this.resultOf(context)),
      read,
      look: read,
      write: (entries) => {
        for (const [key, value] of entries) this.values.set(key, Buffer.from(value).toString());
        return Promise.resolve();
      },
      finish: (result) => {
        if (this.isForgetful)
          return Promise.reject(
            new StateError({ code: outcomeUnknown, disposition: "retry", message: "lost" }),
          );
        this.results.set(nameOf(context), JSON.stringify(result));
        return Promise.resolve(result);
      },
      giveUp: () => {
        this.givenUp.push(context.transactionId);
        return Promise.resolve();
      },
    };
  }
}

function nameOf(context: StateContext): string {
  return `${context.requestId}/${numberOf(context)}`;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textsOf = (values: readonly (Uint8Array | undefined)[]) =>
  values.map((value) => (value === undefined ? undefined : Buffer.from(value).toString()));

/** Reads a and b, writes c, and goes on in another function. */
async function firstFunction(session: StateSession): Promise<unknown> {
  const read = [
    ...textsOf(await session.getMany(["a", "b"])),
    ...textsOf([await session.get("a")]),
  ];
  const put = await session.put("c", bytes(`by ${session.transactionId}`));
  return { read, put, context: await session.suspend() };
}

describe("a function that is done", () => {
  it("reads what it read, call by call, and writes nothing", async () => {
    const memory = new Memory();
    memory.values.set("a", "old");
    const before = await firstFunction(memory.begin("r"));
    expect(before).toMatchObject({ read: ["old", undefined, "old"], put: undefined });
    memory.values.set("a", "new").set("b", "new").set("c", "another's");
    const again = await firstFunction(memory.begin("r"));
    expect(again).toMatchObject({
      read: ["old", undefined, "old"],
      put: "replayed",
      context: { transactionId: "attempt 2", carried: { function: 2 } },
    });
    expect(memory.values.get("c")).toBe("another's");
  });

  it("reads what is there by now where it had read too much to remember", async () => {
    const memory = new Memory();
    memory.values.set("a", "x".repeat(101));
    await firstFunction(memory.begin("r"));
    memory.values.set("a", "new");
    expect(await firstFunction(memory.begin("r"))).toMatchObject({
      read: ["new", undefined, "new"],
    });
  });

  it("must be the same again: other keys and another end are refused", async () => {
    const memory = new Memory();
    await firstFunction(memory.begin("r"));
    const other = memory.begin("r");
    await expect(other.getMany(["b", "a"])).rejects.toMatchObject({ code: "not_deterministic" });
    const more = memory.begin("r");
    await more.getMany(["a", "b"]);
    await more.get("a");
    await expect(more.get("a")).rejects.toMatchObject({ disposition: "bug" });
    expect(await memory.begin("r").commit()).toMatchObject({ kind: "aborted" });
  });

  it("that has committed says by whom, in every later function of another attempt", async () => {
    const memory = new Memory();
    const session = memory.begin("r");
    await session.put("c", bytes("once"));
    expect(await session.commit()).toEqual({ kind: "committed" });
    const again = memory.begin("r");
    expect(await again.put("c", bytes("twice"))).toBe("replayed");
    const next = memory.resume(await again.suspend());
    expect(await next.put("d", bytes("twice"))).toBe("replayed");
    expect(await next.commit()).toEqual({ kind: "committed", committedBy: "attempt 1" });
    expect([...memory.values]).toEqual([["c", "once"]]);
  });
});

it("an end that may be lost is unknown, and one that was given up is neither finished nor undone", async () => {
  const memory = new Memory();
  memory.isForgetful = true;
  const lost = memory.begin("r");
  await lost.put("c", bytes("v"));
  expect(await lost.commit()).toMatchObject({ kind: "unknown" });
  const left = memory.begin("s");
  await left.put("d", bytes("v"));
  await left.abort();
  await left.abort();
  expect(await left.commit()).toMatchObject({ kind: "aborted" });
  expect(memory.givenUp).toEqual(["attempt 2"]);
  expect(memory.values.get("d")).toBe("v");
});

it("tells what became of an attempt only where its last function is known to be done", async () => {
  const memory = new Memory();
  const session = memory.begin("r");
  const context = { system: "memory", requestId: "r", transactionId: "attempt 1", carried: {} };
  const ask = (of: StateContext) =>
    rememberedOutcome(of, () => Promise.resolve(memory.resultOf(of)));
  expect(await ask(context)).toMatchObject({ kind: "unknown" });
  await session.commit();
  expect(await ask(context)).toEqual({ kind: "committed" });
  const other = { ...context, transactionId: "attempt 2" };
  expect(await ask(other)).toEqual({ kind: "committed", committedBy: "attempt 1" });
  const passedOver = { ...other, carried: { function: 2, doneBy: "attempt 1" } };
  expect(await ask(passedOver)).toEqual({ kind: "committed", committedBy: "attempt 1" });
  const failing = await rememberedOutcome(context, () => Promise.reject(new Error("no answer")));
  expect(failing).toMatchObject({ kind: "unknown", reason: "no answer" });
});
