// What happens when transformers.js is missing, and when it is there but broken.
import { expect, test } from 'vitest';
import { TinyVlmError } from './tiny-vlm-error.js';
import { importTransformers } from './transformers-library.js';

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
])('a broken installation is reported as it is: %s', async (message, code) => {
  await expect(importTransformers(failWith(message, code))).rejects.toMatchObject({ message, code });
});
