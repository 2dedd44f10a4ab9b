// `pnpm test`: the tests of every package, of the examples and of the repository. None of them needs a build.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      'packages/*/vitest.config.ts',
      'apps/*/vitest.config.ts',
      'examples/vitest.config.ts',
      'test/vitest.config.ts',
      'test/browser/vitest.config.ts',
    ],
  },
});
