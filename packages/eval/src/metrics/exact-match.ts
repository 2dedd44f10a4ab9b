// Exact match after lower-casing and deleting ASCII punctuation, as GQA is scored. No articles, numbers or spaces are
// touched.
// Sources: https://cs.stanford.edu/people/dorarad/gqa/evaluate.html, `exact_match` of lmms-eval.

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;

function bare(text: string): string {
  return text.toLowerCase().replace(ASCII_PUNCTUATION, '');
}

/** Whether both texts are the same but for case and ASCII punctuation. */
export function exactMatch(prediction: string, answer: string): boolean {
  return bare(prediction) === bare(answer);
}
