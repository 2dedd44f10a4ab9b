// Bonuses per candidate.

import { describe, expect, it } from 'vitest';
import { budget, vision } from '../../test/five-tokens.js';
import { backend } from '../../test/table-case.js';
import { InvalidOptionsError, InvalidTensorError } from '../errors.js';
import { selectTokens } from '../selection/select-tokens.js';
import { saliency, visionCoverage } from './terms.js';

describe('saliency', () => {
  const coverage = [visionCoverage({ weight: 0 }), saliency({ input: 'attention', weight: 2 })];
  const bonus = [0.1, 0.4, 0.2, 0, 0.3];

  it('adds its bonus to every candidate’s gain, whatever else is kept', async () => {
    for (const attention of [
      bonus.map((each) => [each]),
      [bonus],
      { data: Float32Array.from(bonus), dims: [1, 5, 1] },
    ]) {
      const selection = await selectTokens({
        backend,
        vision,
        coverage,
        inputs: { attention },
        budget: { tokens: 3 },
      });
      expect(selection.order).toEqual([1, 4, 2]);
      [0.8, 0.6, 0.4].forEach((gain, pick) => {
        expect(selection.gains[pick]).toBeCloseTo(gain, 6);
      });
      expect(Object.keys(selection.coverage)).toEqual(['vision']);
    }
  });

  it('can be the only term', async () => {
    const selection = await selectTokens({
      ...{ backend, vision, budget },
      coverage: [saliency()],
      inputs: { saliency: [bonus] },
    });
    expect(selection).toMatchObject({ order: [1, 4], coverage: {} });
  });

  it.each<[string, unknown, string]>([
    ['a negative bonus', [[0.1], [0.4], [-0.2], [0], [0.3]], 'got -0.2'],
    ['NaN', [[0.1], [Number.NaN], [0.2], [0], [0.3]], 'NaN'],
    ['too few', [[0.1, 0.2]], 'expected 5 float32 numbers'],
    ['too many', [[0.1], [0.4], [0.2], [0], [0.3], [0.3]], 'expected 5 float32 numbers'],
    ['half precision', { type: 'float16', data: new Uint16Array(5).fill(0x7c00), dims: [5, 1] }, 'Infinity'],
  ])('rejects %s', async (_, attention, message) => {
    const act = selectTokens({
      ...{ backend, vision, coverage, budget },
      inputs: { attention: attention as number[][] },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow("Tensor 'attention'");
    await expect(act).rejects.toThrow(message);
  });

  it('rejects a matrix that happens to have as many numbers as there are tokens', async () => {
    const act = selectTokens({
      ...{ backend, vision: vision.slice(0, 4), coverage: [saliency()], budget },
      inputs: {
        saliency: [
          [1, 2],
          [3, 4],
        ],
      },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
  });

  it('is an error if its input is missing', async () => {
    const act = selectTokens({ backend, vision, coverage, budget });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(
      /term 'attention' reads 'attention', but the tensors given are 'vision'/,
    );
  });
});
