// The prompt of an agent: one picture and one question in the model's own chat template.

import type { Processor } from '@huggingface/transformers';

/** What is asked where there is no question. */
const NO_QUESTION = 'What is in the image?';

/** The prompt as text; the picture's placeholder is not expanded yet. A blank question asks what is in the image. */
export function agentPrompt(processor: Processor, question: string): string {
  const text = question.trim() === '' ? NO_QUESTION : question.trim();
  const content = [{ type: 'image' as const }, { type: 'text' as const, text }];
  return processor.apply_chat_template([{ role: 'user', content }], {
    tokenize: false,
    add_generation_prompt: true,
  }) as string;
}
