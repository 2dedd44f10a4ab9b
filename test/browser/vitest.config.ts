// `pnpm test:browser`: tests in headless Chromium. Packages are bundled from source, so nothing is built before; without a
// browser all tests are skipped.
import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      name: 'browser',
      root: import.meta.dirname,
      include: ['**/*.test.ts'],
      // One file at a time: Chromium has threads of its own.
      fileParallelism: false,
      testTimeout: 600_000,
      hookTimeout: 600_000,
    },
  }),
);
