/**
 * @module When the commands of one turn are written: all at once would be the fewest system calls, and would make
 * both sides work in turns, each asleep while the other is at it.
 *
 * So many leave together that a system call is cheap for each. While few are under way, the first of a turn
 * leaves on its own, so that the other side has something to do while the rest are made.
 */

const holdAtMost = 8;
/** With more callers than this the other side has work anyway, and a write for one command is dear. */
const few = 11;
/** Commands over which the most under way is remembered. */
const windowCommands = 64;

export class WriteRhythm {
  #held = 0;
  #isFirst = true;
  #inWindow = 0;
  #most = 0;
  #mostBefore = 0;

  /**
   * One more command is ready to be written; whether all that are should leave now.
   *
   * @param underWay  Commands without an answer, this one included.
   */
  leaves(underWay: number): boolean {
    this.#held += 1;
    this.#note(underWay);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const alone = isFirst && this.#most <= few && this.#mostBefore <= few;
    if (!alone && this.#held < holdAtMost) return false;
    this.#held = 0;
    return true;
  }

  /** The turn is over, and everything was written. */
  endTurn(): void {
    this.#held = 0;
    this.#isFirst = true;
  }

  /** The most under way in this window and the one before: turns differ, callers come and go. */
  #note(underWay: number): void {
    if (underWay > this.#most) this.#most = underWay;
    this.#inWindow += 1;
    if (this.#inWindow < windowCommands) return;
    this.#inWindow = 0;
    this.#mostBefore = this.#most;
    this.#most = underWay;
  }
}
