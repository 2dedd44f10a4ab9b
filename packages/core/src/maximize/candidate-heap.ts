// A binary heap of candidates ordered by (bound descending, index ascending), for the lazy search.

/** The candidate with the highest bound is on top; among equal bounds, the one with the lowest index. */
export class CandidateHeap {
  private readonly items: Int32Array;
  private readonly bounds: Float64Array;
  private length: number;

  /** A heap of `candidates`, ordered by `bounds`, which stay the caller's to change (see {@link sinkTop}). */
  constructor(candidates: readonly number[], bounds: Float64Array) {
    this.bounds = bounds;
    this.items = Int32Array.from(candidates);
    this.length = candidates.length;
    for (let at = (this.length >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  /** The first candidate, or −1 when empty. */
  get top(): number {
    return this.length === 0 ? -1 : (this.items[0] as number);
  }

  /** Removes the first candidate. */
  removeTop(): void {
    this.length--;
    this.items[0] = this.items[this.length] as number;
    this.sink(0);
  }

  /** Restores the order after the top's bound was lowered. */
  sinkTop(): void {
    this.sink(0);
  }

  private isBefore(a: number, b: number): boolean {
    const x = this.bounds[a] as number;
    const y = this.bounds[b] as number;
    return x > y || (x === y && a < b);
  }

  private sink(from: number): void {
    const { items, length } = this;
    let at = from;
    for (;;) {
      let first = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < length; child++) {
        if (this.isBefore(items[child] as number, items[first] as number)) first = child;
      }
      if (first === at) return;
      const moved = items[at] as number;
      items[at] = items[first] as number;
      items[first] = moved;
      at = first;
    }
  }
}
