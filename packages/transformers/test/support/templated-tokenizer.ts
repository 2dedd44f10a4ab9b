// A tokenizer whose tokens are characters, with a given chat template, for tests that read prompts.

import { createRequire } from 'node:module';
import type { TokenizerLike } from '../../src/internal/types.js';

// The renderer that transformers.js uses.
const { Template } = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'))(
  '@huggingface/jinja',
) as { readonly Template: new (template: string) => { render(values: object): string } };

/** A tokenizer that loses nothing. */
export interface CharacterTokenizer extends TokenizerLike {
  encode(text: string): number[];
}

/** A tokenizer with a chat template, or without. */
export function templatedTokenizer(template: string | undefined): CharacterTokenizer {
  const encode = (text: string): number[] =>
    Array.from(text, (character) => character.codePointAt(0) as number);
  const tokenizer = (text: string): { input_ids: number[] } => ({ input_ids: encode(text) });
  return Object.assign(tokenizer, {
    encode,
    decode: (ids: readonly number[]) => String.fromCodePoint(...ids),
    convert_tokens_to_ids: () => undefined,
    all_special_tokens: ['<s>', '</s>', '<|im_start|>', '<|im_end|>', '<end_of_utterance>'],
    apply_chat_template(messages: readonly unknown[], options: { readonly add_generation_prompt: boolean }) {
      if (template === undefined) throw new Error('tokenizer.chat_template is not set');
      return new Template(template).render({
        messages,
        add_generation_prompt: options.add_generation_prompt,
      });
    },
  });
}
