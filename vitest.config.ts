// `pnpm test`: the tests of every package, of the examples and of the repository. None of them needs a build.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // All cores: by default Vitest leaves one free, which on two cores makes the tests run one after the other.
    maxWorkers: availableParallelism(),
    projects: [
      'packages/*/vitest.config.ts',
      'apps/*/vitest.config.ts',
      'examples/vitest.config.ts',
      'test/vitest.config.ts',
      'test/browser/vitest.config.ts',
    ],
  },
});
