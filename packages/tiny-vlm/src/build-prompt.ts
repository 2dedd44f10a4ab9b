// The prompt the model was trained on, as text. Turning text into token ids is the tokenizer's work.

/**
 * The prompt for one image and one question: `<image> question {question} answer`.
 *
 * It is the very string that `processor.apply_chat_template` makes from the model's own chat template; use this where
 * no processor is at hand. Write questions as ordinary English: the tokenizer lower-cases and splits off punctuation.
 *
 * @example
 * buildPrompt('Is there a red circle in the image?');
 * // '<image> question Is there a red circle in the image? answer'
 */
export function buildPrompt(question: string): string {
  return `<image> question ${question} answer`;
}
