// Unit tests of the page's plain functions, and the built page in a headless Chromium; without one, those are skipped.
import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(shared, defineConfig({ test: { name: 'playground' } }));
