/** Goal  Answers leave in the order of commands, or are announced in it; each exactly once. */
import { expect, it } from "vitest";
import fc from "fast-check";
import { AnswerOrder } from "./answer-order.ts";
import { errorReply, integer, later, type Reply } from "./reply.ts";

interface Waited {
  readonly promise: Promise<Reply>;
  readonly settle: (reply: Reply) => void;
}

function waited(): Waited {
  let settle: (reply: Reply) => void = () => {};
  const promise = new Promise<Reply>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

function answers(): { readonly order: AnswerOrder; readonly left: Reply[] } {
  const left: Reply[] = [];
  const order = new AnswerOrder({
    onReply: (reply) => left.push(reply),
    onSettled: () => {},
    onBug: () => errorReply("ERR", "bug"),
  });
  return { order, left };
}

it("holds up what comes behind an answer that waits, for a client that knows no other way", async () => {
  const { order, left } = answers();
  const slow = waited();
  order.take(slow.promise, false);
  order.take(integer(2), false);
  expect(left).toEqual([]);
  expect(order.owed).toBe(2);
  slow.settle(integer(1));
  await slow.promise;
  expect(left).toEqual([integer(1), integer(2)]);
  expect(order.owed).toBe(0);
});

it("announces an answer that waits, and pushes it when it is there", async () => {
  const { order, left } = answers();
  const [first, second] = [waited(), waited()];
  order.take(first.promise, true);
  order.take(second.promise, true);
  order.take(integer(3), true);
  expect(left).toEqual([later, later, integer(3)]);
  second.settle(integer(2));
  await second.promise;
  first.settle(integer(1));
  await first.promise;
  expect(left.slice(3)).toEqual([
    { kind: "push", number: 2, reply: integer(2) },
    { kind: "push", number: 1, reply: integer(1) },
  ]);
});

it("answers in place of a command that rejects", async () => {
  const { order, left } = answers();
  order.take(Promise.reject(new Error("a bug")), true);
  await Promise.resolve();
  await Promise.resolve();
  expect(left).toEqual([later, { kind: "push", number: 1, reply: errorReply("ERR", "bug") }]);
});

it("gives every command its own answer, however they settle and whenever the client says so", async () => {
  const command = fc.record({ isWaited: fc.boolean(), mayBeLater: fc.boolean(), rank: fc.nat() });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 12 }), async (commands) => {
      const { order, left } = answers();
      // Once said it stays so.
      let mayBeLater = false;
      const open: { readonly rank: number; readonly number: number; readonly one: Waited }[] = [];
      for (const [number, one] of commands.entries()) {
        mayBeLater ||= one.mayBeLater;
        if (!one.isWaited) order.take(integer(number), mayBeLater);
        else {
          const waits = waited();
          order.take(waits.promise, mayBeLater);
          open.push({ rank: one.rank, number, one: waits });
        }
      }
      for (const { one, number } of open.toSorted((a, b) => a.rank - b.rank)) {
        one.settle(integer(number));
        await one.promise;
        await Promise.resolve();
      }
      expect(order.owed).toBe(0);
      expect(understood(left)).toEqual(commands.map((_unused, number) => number));
    }),
    { numRuns: 200 },
  );
});

/** As a client puts them together: answers by the number of their command. */
function understood(left: readonly Reply[]): (number | undefined)[] {
  const byCommand: (number | undefined)[] = [];
  const announced: number[] = [];
  for (const reply of left)
    if (reply === later) {
      announced.push(byCommand.length);
      byCommand.push(undefined);
    } else if (reply.kind === "integer") byCommand.push(reply.value);
    else if (reply.kind === "push" && reply.reply.kind === "integer")
      byCommand[announced[reply.number - 1] ?? -1] = reply.reply.value;
  return byCommand;
}
