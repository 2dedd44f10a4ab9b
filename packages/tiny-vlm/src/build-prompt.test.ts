// The prompt against the models' own chat templates, as text and as token ids.
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPrompt } from './build-prompt.js';
import { modelPath, smallModelPath } from './model-path.js';

describe.each([
  { size: 'base', path: modelPath },
  { size: 'small', path: smallModelPath },
])('$size', ({ path }) => {
  let tokenizer: PreTrainedTokenizer;
  beforeAll(async () => {
    tokenizer = await AutoTokenizer.from_pretrained(path, { local_files_only: true });
  });

  test('is what the chat template makes', () => {
    const question = 'Is there a red circle in the image?';
    const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }];
    const options = { tokenize: false, add_generation_prompt: true };
    expect(buildPrompt(question)).toBe(tokenizer.apply_chat_template(messages, options));
  });

  test('ordinary English has the token ids of the wording in training', () => {
    const trained = '<image> question is there a red circle in the image ? answer';
    const idsOf = (text: string): number[] => tokenizer.encode(text);
    expect(idsOf(buildPrompt('Is there a RED circle in the image?'))).toEqual(idsOf(trained));
    expect(idsOf(trained)).not.toContain(tokenizer.unk_token_id);
  });
});
