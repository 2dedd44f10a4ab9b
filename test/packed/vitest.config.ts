// Tests of the packages as users receive them: packed, installed outside the repository, bundled. They need a build.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'packed',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['./pack-packages.ts'],
    // npm downloads what its cache lacks.
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
