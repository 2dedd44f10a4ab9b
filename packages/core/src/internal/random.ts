// The seeded random number generator of all packages. Not for cryptography.

/** mulberry32, a 32-bit generator: numbers in [0, 1), the same on every machine for a seed. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Moves `count` random items to the front of `items`; all sets are equally likely (Fisher and Yates). */
export function shuffleFront(items: Int32Array, count: number, random: () => number): void {
  for (let i = 0; i < Math.min(count, items.length - 1); i++) {
    const other = i + Math.floor(random() * (items.length - i));
    const item = items[i] as number;
    items[i] = items[other] as number;
    items[other] = item;
  }
}
