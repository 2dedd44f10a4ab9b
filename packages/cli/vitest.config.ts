import { configDefaults, defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(
  shared,
  defineConfig({ test: { name: 'cli', exclude: [...configDefaults.exclude, '**/*.model.test.ts'] } }),
);
