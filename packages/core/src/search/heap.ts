// A binary heap of candidates ordered by (bound descending, index ascending), for the lazy search.

/** The candidate with the highest bound is on top; among equal bounds the one with the lowest index. */
export class CandidateHeap {
  private readonly items: Int32Array;
  /** The bound of each item, stored next to it rather than looked up by candidate, because the heap is traversed often. */
  private readonly keys: Float64Array;
  private length: number;

  /** A heap of `candidates`, ordered by a copy of their entries in `bounds`. */
  constructor(candidates: readonly number[], bounds: Float64Array) {
    this.items = new Int32Array(candidates);
    this.keys = new Float64Array(candidates.length);
    for (let at = 0; at < candidates.length; at++) this.keys[at] = bounds[candidates[at] as number] as number;
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
    this.keys[0] = this.keys[this.length] as number;
    this.sink(0);
  }

  /** Lowers the bound of the first candidate and moves it to its new place. */
  lowerTop(bound: number): void {
    this.keys[0] = bound;
    this.sink(0);
  }

  /** Moves the item at `from` down below smaller children. */
  private sink(from: number): void {
    const { items, keys, length } = this;
    const item = items[from] as number;
    const key = keys[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      let childKey = keys[child] as number;
      if (child + 1 < length) {
        const rightKey = keys[child + 1] as number;
        const rightIsFirst =
          rightKey > childKey ||
          (rightKey === childKey && (items[child + 1] as number) < (items[child] as number));
        if (rightIsFirst) {
          child++;
          childKey = rightKey;
        }
      }
      if (key > childKey || (key === childKey && item < (items[child] as number))) break;
      items[at] = items[child] as number;
      keys[at] = childKey;
      at = child;
    }
    items[at] = item;
    keys[at] = key;
  }
}
