// The prompt of an agent: one picture and one question in the model's own chat template.

import type { Processor } from '@huggingface/transformers';

/** What is asked where there is no question. */
const NO_QUESTION = 'What is in the image?';

/**
 * The prompt as text; the picture's placeholder is not expanded yet. A blank question asks what is in the image.
 * Placeholders in the question, as data sets have them, are left out: the prompt has one picture, so a second placeholder
 * would stand for none.
 */
export function agentPrompt(processor: Processor, question: string): string {
  const asked = placeholders(processor).reduce((rest, token) => rest.replaceAll(token, ' '), question);
  const text = asked.trim() === '' ? NO_QUESTION : asked.trim();
  const content = [{ type: 'image' as const }, { type: 'text' as const, text }];
  return processor.apply_chat_template([{ role: 'user', content }], {
    tokenize: false,
    add_generation_prompt: true,
  }) as string;
}

/** The usual placeholder, and the processor's own. */
function placeholders(processor: Processor): string[] {
  const { image_token, config } = processor as {
    readonly image_token?: unknown;
    readonly config?: { readonly image_token?: unknown };
  };
  return ['<image>', image_token, config?.image_token].filter(
    (token): token is string => typeof token === 'string' && token !== '',
  );
}
