/**
 * @module Which answer of a connection leaves when.
 *
 * In the order of the commands, as Redis does it; so one that waits for storage holds up all behind it. A client
 * that has said AFT.LATER is told `+LATER` in place of an answer that is not there yet, and gets it as a push of its
 * number and the answer, whenever it is there: the first so announced on the connection is 1, the next one 2 …
 */
import type { MaybePromise } from "../replica/port.ts";
import { later, type Reply } from "./reply.ts";

/** An answer that waits: for the replica, or for those before it. */
interface Slot {
  reply: Reply | undefined;
}

export interface AnswerOrderOptions {
  /** Takes what leaves next. */
  readonly onReply: (reply: Reply) => void;
  /** Told after answers left that were waited for, which are in no turn of a command. */
  readonly onSettled: () => void;
  /** The answer in place of one that was rejected, which is a bug. */
  readonly onBug: (error: unknown) => Reply;
}

export class AnswerOrder {
  readonly #options: AnswerOrderOptions;
  /** Answers owed in order; empty whenever everything was answered at once. */
  #slots: Slot[] = [];
  #announced = 0;
  #owedLater = 0;

  constructor(options: AnswerOrderOptions) {
    this.#options = options;
  }

  /** Commands without an answer. */
  get owed(): number {
    return this.#slots.length + this.#owedLater;
  }

  /** The answer to the next command; `mayBeLater`: the client understands announcements. */
  take(reply: MaybePromise<Reply>, mayBeLater: boolean): void {
    if (!(reply instanceof Promise)) this.#next(reply);
    else if (mayBeLater && this.#slots.length === 0) this.#announce(reply);
    else this.#hold(reply);
  }

  #next(reply: Reply): void {
    if (this.#slots.length > 0) this.#slots.push({ reply });
    else this.#options.onReply(reply);
  }

  #announce(waited: Promise<Reply>): void {
    this.#announced += 1;
    this.#owedLater += 1;
    const number = this.#announced;
    this.#options.onReply(later);
    this.#when(waited, (reply) => {
      this.#owedLater -= 1;
      this.#options.onReply({ kind: "push", number, reply });
    });
  }

  #hold(waited: Promise<Reply>): void {
    const slot: Slot = { reply: undefined };
    this.#slots.push(slot);
    this.#when(waited, (reply) => {
      slot.reply = reply;
      let ready = 0;
      for (const { reply: settled } of this.#slots) {
        if (settled === undefined) break;
        this.#options.onReply(settled);
        ready += 1;
      }
      if (ready > 0) this.#slots = this.#slots.slice(ready);
    });
  }

  #when(waited: Promise<Reply>, settle: (reply: Reply) => void): void {
    const { onBug, onSettled } = this.#options;
    waited.then(
      (reply) => {
        settle(reply);
        onSettled();
      },
      (error: unknown) => {
        settle(onBug(error));
        onSettled();
      },
    );
  }
}
