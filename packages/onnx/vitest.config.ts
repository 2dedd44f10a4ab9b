import { defineConfig, mergeConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.js';

export default mergeConfig(
  shared,
  defineConfig({ test: { name: 'onnx', env: { ORT_DISABLE_TELEMETRY: '1' } } }),
);
