// Random weights that depend on a seed and the weight's name only: adding a layer does not change the others. Exact on any platform.

/** Makes the values of named weights. */
export interface Weights {
  /** Uniform values between `low` and `high`. */
  uniform(name: string, length: number, low: number, high: number): Float32Array;
}

/** Weights of one model; the same seed and names give the same values. */
export function createWeights(seed: number): Weights {
  return {
    uniform(name, length, low, high) {
      const random = generator(hash(`${seed}/${name}`));
      return Float32Array.from({ length }, () => low + (high - low) * random());
    },
  };
}

/** 32-bit FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}

/** A Weyl sequence through the mixer of splitmix32: values in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
