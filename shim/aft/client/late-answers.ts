/**
 * @module Who waits for answers that were announced for later: by their numbers, 1, 2 … on a connection.
 *
 * An array and not a map: what a map has outgrown may keep everything alive that it ever held
 * (`shim/aft/protocol/uuid-map.ts`), and here that is whole sessions with their values.
 */

/** Dropped from the front at once. */
const droppedAtOnce = 64;

export class LateAnswers<Waiting> {
  /** From number `#first` on; `undefined`: answered. */
  #waiting: (Waiting | undefined)[] = [];
  #first = 1;
  /** Of the first ones, so many are answered. */
  #answered = 0;
  #due = 0;

  /** Announced and not answered. */
  get due(): number {
    return this.#due;
  }

  /** The next number is for this one. */
  announce(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#due += 1;
  }

  /** Whose answer has come; `undefined` for a number that waits for none. */
  take(number: number): Waiting | undefined {
    const place = number - this.#first;
    const waiting = this.#waiting[place];
    if (waiting === undefined) return undefined;
    this.#waiting[place] = undefined;
    this.#due -= 1;
    while (this.#answered < this.#waiting.length && this.#waiting[this.#answered] === undefined)
      this.#answered += 1;
    if (this.#answered >= droppedAtOnce) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#first += this.#answered;
      this.#answered = 0;
    }
    return waiting;
  }

  /** Begins anew; those that were still waiting. */
  clear(): Waiting[] {
    const waiting = this.#waiting.filter((one) => one !== undefined);
    this.#waiting = [];
    this.#first = 1;
    this.#answered = 0;
    this.#due = 0;
    return waiting;
  }
}
