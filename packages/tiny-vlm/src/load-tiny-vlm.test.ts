// Compares the prompt with the models' own chat templates, as text and as token ids, and tests a missing or broken
// installation of transformers.js.
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPrompt, importTransformers } from './load-tiny-vlm.js';
import { modelPath, smallModelPath, tiledModelPath } from './model-path.js';
import { TinyVlmError } from './tiny-vlm-error.js';

describe.each([
  { size: 'base', path: modelPath },
  { size: 'small', path: smallModelPath },
  { size: 'tiled', path: tiledModelPath },
])('$size', ({ path }) => {
  let tokenizer: PreTrainedTokenizer;
  beforeAll(async () => {
    tokenizer = await AutoTokenizer.from_pretrained(path, { local_files_only: true });
  });

  test('equals what the chat template makes', () => {
    const question = 'Is there a red circle in the image?';
    const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }];
    const options = { tokenize: false, add_generation_prompt: true };
    expect(buildPrompt(question)).toBe(tokenizer.apply_chat_template(messages, options));
  });

  test('ordinary English has the token ids of the text in training', () => {
    const trained = '<image> question is there a red circle in the image ? answer';
    const idsOf = (text: string): number[] => tokenizer.encode(text);
    expect(idsOf(buildPrompt('Is there a RED circle in the image?'))).toEqual(idsOf(trained));
    expect(idsOf(trained)).not.toContain(tokenizer.unk_token_id);
  });
});

const failWith = (message: string, code: string) => () =>
  Promise.reject(Object.assign(new Error(message), { code }));

test('a missing package gives a typed error with the install command', async () => {
  const message = "Cannot find package '@huggingface/transformers' imported from /app/index.js";
  const failure = importTransformers(failWith(message, 'ERR_MODULE_NOT_FOUND'));
  await expect(failure).rejects.toBeInstanceOf(TinyVlmError);
  await expect(failure).rejects.toMatchObject({
    code: 'MMTOK_TRANSFORMERS_MISSING',
    message: expect.stringContaining('npm install @huggingface/transformers'),
    [Symbol.for('mmtok.error')]: true,
  });
});

test.each([
  ["Cannot find package 'onnxruntime-node' imported from /app/transformers.js", 'ERR_MODULE_NOT_FOUND'],
  ['libonnxruntime.so.1: cannot open shared object file', 'ERR_DLOPEN_FAILED'],
])('the error of a broken installation is rethrown: %s', async (message, code) => {
  await expect(importTransformers(failWith(message, code))).rejects.toMatchObject({ message, code });
});
