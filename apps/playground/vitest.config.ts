// Unit tests of the page's plain functions. The built page is tested in test/browser/sites.
import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(shared, defineConfig({ test: { name: 'playground' } }));
