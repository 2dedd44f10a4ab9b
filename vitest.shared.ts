// What every package's vitest.config.ts shares: siblings are read from source, so nothing is built before a test.
import { fileURLToPath } from 'node:url';
import { configDefaults, type ViteUserConfig } from 'vitest/config';

const conditions = ['@mmtok/source'];

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** See the files. */
export const randomCases: string = file('vitest.random-cases.ts');
const oneThread = file('vitest.one-thread.ts');
const leftovers = file('vitest.leftovers.ts');

/** The configuration of one package's tests. */
export const shared: ViteUserConfig = {
  resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Minutes of a model's answers: `pnpm test:model`.
    exclude: [...configDefaults.exclude, '**/*.model.test.ts'],
    setupFiles: [randomCases, oneThread],
    globalSetup: [leftovers],
    // Limits for tests that hang. A machine with other work takes many times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
};
