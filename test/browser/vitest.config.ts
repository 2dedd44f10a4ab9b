// Tests in a headless Chromium. Packages are bundled from source, so nothing is built before; without a browser all are skipped.
import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      name: 'browser',
      root: import.meta.dirname,
      include: ['**/*.test.ts'],
      testTimeout: 180_000,
      hookTimeout: 180_000,
    },
  }),
);
