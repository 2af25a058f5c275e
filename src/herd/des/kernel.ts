/**
 * The discrete-event kernel: what is to happen, in the order in which it happens, on a clock of its own. Events of
 * one instant happen in the order in which they were asked for, so the same program gives the same story.
 */
export class Kernel {
  #nowMs = 0;
  #asked = 0;
  #heap: Due[] = [];
  #cancelled = 0;
  #happened = 0;

  /** Virtual time, in ms from the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened so far. */
  get happened(): number {
    return this.#happened;
  }

  /** Events that are still to happen. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Has something happen at an instant. Throws a RangeError where that lies in the past, or is no number. */
  at(atMs: number, action: () => void): Due {
    if (!(atMs >= this.#nowMs)) throw new RangeError(`it is ${this.#nowMs} ms, too late for ${atMs} ms`);
    const due: Due = { atMs, order: this.#asked, action };
    this.#asked += 1;
    this.#heap.push(due);
    rise(this.#heap, this.#heap.length - 1);
    return due;
  }

  /** Has something happen after a delay; 0 is this instant, behind everything that is already asked for. */
  after(delayMs: number, action: () => void): Due {
    return this.at(this.#nowMs + delayMs, action);
  }

  /** Takes an event back. One that has happened, or was taken back before, is left alone. */
  cancel(due: Due): void {
    if (due.action === null) return;
    due.action = null;
    this.#cancelled += 1;
    if (this.#cancelled > SWEEP_MIN && this.#cancelled > this.#heap.length / 2) this.#sweep();
  }

  /** Lets time pass until `untilMs`, and everything happen that is due by then, that instant included. */
  runUntil(untilMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) this.#step(next);
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Lets everything happen that is asked for. Throws where that is more than `eventsMax`: a world that never rests. */
  drain(eventsMax: number): void {
    const last = this.#happened + eventsMax;
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (this.#happened >= last) throw new RangeError(`still ${this.pending} events pending after ${eventsMax}`);
      this.#step(next);
    }
  }

  #step(next: Due): void {
    removeFirst(this.#heap);
    const { action } = next;
    if (action === null) {
      this.#cancelled -= 1;
      return;
    }
    next.action = null;
    this.#nowMs = next.atMs;
    this.#happened += 1;
    action();
  }

  /** Most timeouts are cancelled long before their time: without this they would be most of the heap. */
  #sweep(): void {
    this.#heap = this.#heap.filter(({ action }) => action !== null);
    this.#cancelled = 0;
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at -= 1) sink(this.#heap, at);
  }
}

/** An event that is asked for; `action` is null once it has happened or was taken back. */
export interface Due {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | null;
}

/** Below so many cancelled events a sweep costs more than it saves. */
const SWEEP_MIN = 1_024;

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A binary heap in an array: the parent of `at` is `(at - 1) >> 1`, and none is before its parent. */
function rise(heap: Due[], from: number): void {
  const due = heap[from];
  if (due === undefined) return;
  let at = from;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !before(due, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = due;
}

function sink(heap: Due[], from: number): void {
  const due = heap[from];
  if (due === undefined) return;
  let at = from;
  for (;;) {
    let below = 2 * at + 1;
    let child = heap[below];
    if (child === undefined) break;
    const right = heap[below + 1];
    if (right !== undefined && before(right, child)) {
      below += 1;
      child = right;
    }
    if (!before(child, due)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = due;
}

function removeFirst(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap, 0);
}
