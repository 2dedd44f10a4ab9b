// What stands for a picture in a model's prompts must not stand in a question: the model would look for a picture there.

import type { Processor } from '@huggingface/transformers';
import { shorten } from '../terminal/safe-text.js';

/** The members that processors keep their placeholder in, as far as they do. */
interface WithPlaceholder {
  readonly image_token?: unknown;
  readonly config?: { readonly image_token?: unknown };
  readonly chat_template?: unknown;
}

/** What is wrong with a question, in words: it contains the placeholder of a picture; undefined where it does not. */
export function placeholderProblem(processor: Processor, question: string): string | undefined {
  const { image_token, config } = processor as unknown as WithPlaceholder;
  const own = [image_token, config?.image_token].filter((token) => typeof token === 'string' && token !== '');
  const found = [...(own as string[]), '<image>', '<image_placeholder>'].find((token) =>
    question.includes(token),
  );
  if (found === undefined) return undefined;
  return (
    `The question '${shorten(question, 80)}' contains '${found}', which stands for a picture in prompts; ` +
    'write it otherwise, e.g. with spaces in it.'
  );
}
