// `pnpm test:model`: the embedded models on many questions, which takes minutes. One file after another in one process, so that
// answers which several of them need are computed once.
import { configDefaults, defineConfig } from 'vitest/config';
import { shared } from './vitest.shared.js';

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    name: 'model',
    include: ['packages/*/{src,test}/**/*.model.test.ts', 'test/browser/**/*.model.test.ts'],
    exclude: configDefaults.exclude,
    fileParallelism: false,
    isolate: false,
  },
});
