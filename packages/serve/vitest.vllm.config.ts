// `pnpm vllm:test`: the tests against a real vLLM server, which test/vllm/run.sh starts.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default defineConfig({
  ...shared,
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    ...shared.test,
    name: 'vllm',
    include: ['test/vllm/*.vllm-test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
