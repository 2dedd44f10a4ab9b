// The prompt against the model's own chat template, as text and as token ids.
import { AutoTokenizer } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { buildPrompt } from './build-prompt.js';
import { modelPath } from './model-path.js';

const tokenizer = await AutoTokenizer.from_pretrained(modelPath, { local_files_only: true });
const idsOf = (text: string): number[] => tokenizer.encode(text);

test('is what the chat template makes', () => {
  const question = 'Is there a red circle in the image?';
  const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }];
  const options = { tokenize: false, add_generation_prompt: true };
  expect(buildPrompt(question)).toBe(tokenizer.apply_chat_template(messages, options));
});

test('ordinary English has the token ids of the wording in training', () => {
  const trained = '<image> question is there a red circle in the image ? answer';
  expect(idsOf(buildPrompt('Is there a RED circle in the image?'))).toEqual(idsOf(trained));
  expect(idsOf(trained)).not.toContain(tokenizer.unk_token_id);
});
