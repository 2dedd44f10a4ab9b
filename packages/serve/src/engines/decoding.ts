// Nucleus sampling (`top_p`). transformers.js 4.3 has an option for it but does not implement it.

/** Scores of the next token, `[batch, vocabulary]`, which processors change in place. */
interface Logits {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * A logits processor for `generate` that keeps the smallest set of most probable tokens whose total probability reaches `topP`
 * (ties with the last of them stay too).
 * @param topP above 0 and at most 1.
 * @see https://arxiv.org/abs/1904.09751
 */
export function createNucleus(topP: number): (ids: unknown, logits: Logits) => Logits {
  return (_, logits) => {
    const vocabulary = logits.dims.at(-1) ?? 0;
    for (let start = 0; start < logits.data.length; start += vocabulary) {
      cut(logits.data.subarray(start, start + vocabulary), topP);
    }
    return logits;
  };
}

function cut(scores: Float32Array, topP: number): void {
  const descending = scores.toSorted().reverse();
  const most = descending[0] ?? 0;
  const weights = Float64Array.from(descending, (score) => Math.exp(score - most));
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let at = 0;
  for (let sum = weights[0] ?? 0; sum < wanted && at < weights.length - 1; sum += weights[at] as number)
    at += 1;
  const least = descending[at] as number;
  for (let token = 0; token < scores.length; token++) {
    if ((scores[token] as number) < least) scores[token] = Number.NEGATIVE_INFINITY;
  }
}
