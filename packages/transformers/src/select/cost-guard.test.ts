// Tests the predicted cost and savings of selection, and the resulting decisions, with sizes of real models on real devices.

import { float32 } from '@mmtok/core/backend';
import { createRandom } from '@mmtok/core/internal';
import { describe, expect, it } from 'vitest';
import { type ForecastRequest, forecast, guardCost, modelDevice } from './cost-guard.js';
import type { VisionRows } from './features.js';
import type { Pool } from './pools.js';

const smolvlm = {
  text_config: {
    hidden_size: 576,
    num_hidden_layers: 30,
    intermediate_size: 1536,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    head_dim: 64,
  },
};

const request = (more: Partial<ForecastRequest> = {}): ForecastRequest => ({
  pools: [{ visionTokens: 1088, keptTokens: 108 }],
  featureWidth: 12288,
  tokenWidth: 576,
  selectDevice: 'cpu',
  modelDevice: 'cpu',
  config: smolvlm,
  ...more,
});

describe('a forecast', () => {
  it('is close to measurements', () => {
    // Two idle cores: selection with wide features takes 160 ms and saves 1,451 ms of prefill (results, "Speed at real sizes").
    const wide = forecast(request());
    expect(wide?.selectMs).toBeGreaterThan(160 / 2);
    expect(wide?.selectMs).toBeLessThan(160 * 2);
    expect(wide?.savedMs).toBeGreaterThan(1451 / 2);
    expect(wide?.savedMs).toBeLessThan(1451 * 2);
    // On an H200: selection takes 15 ms and saves 6 ms (results, "On a GPU").
    const onGpu = forecast(request({ selectDevice: 'cuda', modelDevice: 'cuda' }));
    expect(onGpu?.selectMs).toBeGreaterThan(15 / 2);
    expect(onGpu?.selectMs).toBeLessThan(15 * 2);
    expect(onGpu?.savedMs).toBeGreaterThan(6 / 2);
    expect(onGpu?.savedMs).toBeLessThan(6 * 2);
  });

  it('has a cost that grows with the vision tokens and savings that grow with the removed tokens', () => {
    const random = createRandom(1);
    const tokens = (): number => 2 + Math.floor(4000 * random());
    for (let round = 0; round < 200; round++) {
      const [kept, all] = [tokens(), tokens()].sort((a, b) => a - b) as [number, number];
      const selectDevice = ['cpu', 'wasm', 'webgpu', 'cuda'][round % 4] as string;
      const of = (visionTokens: number, featureWidth = 12288) =>
        forecast(request({ pools: [{ visionTokens, keptTokens: kept }], featureWidth, selectDevice }));
      const [few, many] = [of(kept), of(all)];
      expect(few?.savedMs).toBe(0);
      expect(many?.selectMs).toBeGreaterThanOrEqual(few?.selectMs as number);
      expect(many?.savedMs).toBeGreaterThanOrEqual(0);
      expect(of(all, 576)?.selectMs).toBeLessThan(many?.selectMs as number);
    }
  });

  it('needs the dimensions of the language model', () => {
    expect(forecast(request({ config: {} }))).toBeUndefined();
    expect(forecast(request({ config: smolvlm.text_config }))).toEqual(forecast(request()));
  });

  it('uses the device that transformers.js records', () => {
    const run = async () => ({});
    const session = (device: string) => ({ inputNames: [], outputNames: [], config: { device }, run });
    expect(modelDevice({ sessions: { decoder_model_merged: session('webgpu') } }, 'cpu')).toBe('webgpu');
    expect(modelDevice({ sessions: { model: session('auto') } }, 'wasm')).toBe('wasm');
    expect(modelDevice({ sessions: {} }, 'cpu')).toBe('cpu');
  });
});

describe('the guard', () => {
  const tokens = 1088;
  // Only shapes are read.
  const projected = float32(new Float32Array(0), [tokens, 576]);
  const wide: VisionRows = {
    projected,
    features: float32(new Float32Array(0), [tokens, 12288]),
    source: 'preProjector',
    notes: [],
  };
  const pool: Pool = {
    rows: Array.from({ length: tokens }, (_, row) => row),
    unencoded: 0,
    tiles: [],
    parts: [],
    batchIndex: 0,
    budget: { ratio: 0.1 },
  };
  const run = async () => ({});
  const model = (device: string) => ({
    config: smolvlm,
    sessions: { decoder_model_merged: { inputNames: [], outputNames: [], config: { device }, run } },
  });
  const settings = { costGuard: true, visionFeatures: 'auto' } as const;

  it('selects with the given features if that pays off', () => {
    const guarded = guardCost([pool], wide, settings, { model: model('cpu'), device: 'cpu' });
    expect(guarded).toMatchObject({ vision: wide, cost: { action: 'selected' }, notes: [] });
  });

  it('uses projected tokens if wider features do not pay off and the options allow it', () => {
    const gpu = { model: model('cuda'), device: 'cuda' };
    const { vision, cost, notes } = guardCost([pool], wide, settings, gpu);
    expect(vision.features).toBe(projected);
    expect(vision.source).toBe('projected');
    expect(cost?.action).toBe('selectedProjected');
    expect(cost?.selectMs).toBeLessThan(cost?.savedMs as number);
    expect(notes).toHaveLength(1);
    const fixed = guardCost([pool], wide, { ...settings, visionFeatures: 'preProjector' }, gpu);
    expect(fixed.cost?.action).toBe('keptAll');
  });

  it('keeps all tokens if no selection pays off', () => {
    const { cost, notes } = guardCost([pool], wide, settings, { model: model('cuda'), device: 'wasm' });
    expect(cost?.action).toBe('keptAll');
    expect(cost?.selectMs).toBeGreaterThan(cost?.savedMs as number);
    expect(notes[0]).toContain('costGuard: false');
  });

  it('ignores small losses: selecting among few tokens costs almost nothing', () => {
    const few = { ...pool, rows: pool.rows.slice(0, 16), budget: { tokens: 15 } };
    const dims = { hidden_size: 16, num_hidden_layers: 2, intermediate_size: 32, num_attention_heads: 2 };
    const small = { config: dims, sessions: {} };
    const { cost } = guardCost([few], wide, settings, { model: small, device: 'cpu' });
    expect(cost?.selectMs).toBeGreaterThan(cost?.savedMs as number);
    expect(cost?.action).toBe('selected');
  });

  it('can be disabled', () => {
    const off = guardCost(
      [pool],
      wide,
      { ...settings, costGuard: false },
      { model: model('cuda'), device: 'wasm' },
    );
    expect(off).toEqual({ vision: wide, notes: [] });
  });
});
