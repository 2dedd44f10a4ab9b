// `pnpm test:model`: the embedded models on many questions, which takes minutes. One file after another in one process.
import { configDefaults, defineConfig } from 'vitest/config';
import { randomCases, shared } from './vitest.shared.js';

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    name: 'model',
    include: ['packages/*/{src,test}/**/*.model.test.ts', 'test/browser/**/*.model.test.ts'],
    exclude: configDefaults.exclude,
    setupFiles: [randomCases],
    fileParallelism: false,
    isolate: false,
    // Hundreds of answers, on a machine that may do other work as well.
    testTimeout: 1_800_000,
  },
});
