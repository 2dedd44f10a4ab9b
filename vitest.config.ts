// `pnpm test`: the tests of every package, of the examples, and of the repository. None needs a build. Tests in Chromium are
// `pnpm test:browser`.
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
    ],
  },
});
