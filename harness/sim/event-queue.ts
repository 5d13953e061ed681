/**
 * @module What is going to happen, in order of time; among equal times in order of `tie`, then of
 * arrival. A binary heap. Pure.
 */

/** What a trace tells of an event besides its time. */
export type EventKind = "timer" | "message" | "storage" | "command" | "fault" | "load";

export interface SimEvent {
  readonly timeUs: number;
  readonly tie: number;
  readonly order: number;
  readonly kind: EventKind;
  /** Who it happens to, as a number. */
  readonly owner: number;
  /** Of what it carries. */
  readonly digest: number;
  /** Makes no promise settle and starts none: nothing has to be waited for after it. */
  readonly plain: boolean;
  /** `undefined` once it is cancelled or done. */
  task: (() => void) | undefined;
}

export class EventQueue {
  #heap: SimEvent[] = [];
  #cancelled = 0;

  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(event);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as SimEvent;
      if (!isBefore(event, above)) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = event;
  }

  /** The next one that was not cancelled; it stays. */
  peek(): SimEvent | undefined {
    let first = this.#heap[0];
    while (first !== undefined && first.task === undefined) {
      this.#removeFirst();
      this.#cancelled -= 1;
      first = this.#heap[0];
    }
    return first;
  }

  /** Takes out the next one that was not cancelled. */
  pop(): SimEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  /** Idempotent, harmless after it happened. */
  cancel(event: SimEvent): void {
    if (event.task === undefined) return;
    event.task = undefined;
    this.#cancelled += 1;
    // Timers are mostly cancelled: without this they would stay until their time comes.
    if (this.#cancelled > 256 && this.#cancelled > this.#heap.length / 2) this.#sweep();
  }

  clear(): void {
    this.#heap = [];
    this.#cancelled = 0;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let hole = 0;
    const half = heap.length >> 1;
    while (hole < half) {
      let child = 2 * hole + 1;
      let least = heap[child] as SimEvent;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, least)) {
        child += 1;
        least = right;
      }
      if (!isBefore(least, last)) break;
      heap[hole] = least;
      hole = child;
    }
    heap[hole] = last;
  }

  #sweep(): void {
    const kept = this.#heap.filter(({ task }) => task !== undefined);
    this.#heap = [];
    this.#cancelled = 0;
    for (const event of kept) this.push(event);
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.order < b.order;
}
