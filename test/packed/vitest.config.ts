// Tests of the packages as users receive them: packed, installed outside the repository, bundled. They need a build.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'packed',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['./pack-packages.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
