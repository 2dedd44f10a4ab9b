import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../vitest.shared.js';

// The tests in packed/ need a build, so they have their own configuration: `pnpm pack:check`.
export default mergeConfig(shared, defineConfig({ test: { name: 'repository', include: ['*.test.ts'] } }));
