// Numbers that look random and come out the same in every language: an integer hash, no generator with a state.

/** `count` numbers in [0, 1): a 32-bit hash of the seed and of each number's index. */
export function noise(seed: number, count: number): Float64Array {
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let h = (Math.imul(index, 0x9e3779b9) + seed) | 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x21f0aaad);
    h ^= h >>> 15;
    h = Math.imul(h, 0x735a2d97);
    h ^= h >>> 15;
    numbers[index] = (h >>> 0) / 2 ** 32;
  }
  return numbers;
}
