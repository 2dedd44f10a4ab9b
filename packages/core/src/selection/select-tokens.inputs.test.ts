// What selectTokens rejects, with which error, and what it passes on from backends.

import { describe, expect, it } from 'vitest';
import { backend, tableTerm } from '../../test/table-case.js';
import { base, map, range, refusing, vision } from '../../test/thirty-tokens.js';
import type { Backend } from '../backend/backend.js';
import type { MatrixInput } from '../backend/tensor.js';
import { defineCoverage } from '../coverage/define-coverage.js';
import { textCoverage, visionCoverage } from '../coverage/terms.js';
import { InvalidOptionsError, InvalidTensorError, MatrixTooLargeError } from '../errors.js';
import type { SelectOptions } from './options.js';
import { selectTokens } from './select-tokens.js';

describe('bad input', () => {
  const poisoned = (at: number, value: number): MatrixInput => {
    const data = vision.data.slice();
    data[at] = value;
    return { data, dims: [30, 12] };
  };

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2e18, -3e38])(
    'names the row and column of %d',
    async (value) => {
      // Every residue of 4, first and last element.
      for (const at of [0, 1, 2, 3, 101, 354, 359]) {
        const act = selectTokens({
          ...base,
          vision: poisoned(at, value),
          budget: { tokens: 4 },
        });
        await expect(act).rejects.toThrow(InvalidTensorError);
        await expect(act).rejects.toThrow(
          `Tensor 'vision': row ${Math.floor(at / 12)}, column ${at % 12} is ${Math.fround(value)}`,
        );
      }
    },
  );

  it.each([
    [0x7c00, 'Infinity'],
    [0xfc00, '-Infinity'],
    [0x7e00, 'NaN'],
  ])('names the row and column of the half 0x%s', async (bits, value) => {
    const data = new Uint16Array(6);
    data[4] = bits;
    const half: MatrixInput = { type: 'float16', data, dims: [2, 3] };
    const act = selectTokens({ backend, vision: half, budget: { tokens: 1 } });
    await expect(act).rejects.toThrow(`row 1, column 1 is ${value}`);
  });

  it('checks visionFeatures, text and custom inputs as well', async () => {
    const budget = { tokens: 4 };
    const bad = [[1, Number.NaN, ...range(10)]];
    await expect(selectTokens({ ...base, text: bad, budget })).rejects.toThrow(
      "Tensor 'text': row 0, column 1 is NaN",
    );
    const inputs = { prior: range(30).map((j) => [j === 3 ? Number.NaN : 1]) };
    const prior = defineCoverage({
      name: 'prior',
      inputs: { prior: { dims: ['n', 'r'] } },
      targets: 'r',
      build: (_, tensors) => ({ affinity: tensors.prior }),
    });
    await expect(selectTokens({ ...base, coverage: [prior()], inputs, budget })).rejects.toThrow(
      "Tensor 'prior': row 3, column 0 is NaN",
    );
    const features = range(30).map((j) => [j === 29 ? Number.NaN : 1]);
    await expect(selectTokens({ ...base, visionFeatures: features, budget })).rejects.toThrow(
      "Tensor 'visionFeatures': row 29, column 0 is NaN",
    );
  });

  it('takes large values that can still be squared, and zeros of both signs', async () => {
    const selection = await selectTokens({
      backend,
      vision: [
        [1e17, 0],
        [-0, 1e17],
      ],
      text: [[0, 1]],
      budget: { tokens: 1 },
    });
    expect(selection.order).toEqual([1]);
  });

  it.each<[string, Partial<SelectOptions>, string]>([
    ['no vision tokens', { vision: [] }, "'vision': expected at least one vision token"],
    ['[0, D] vision tokens', { vision: { data: new Float32Array(0), dims: [0, 12] } }, 'at least one'],
    ['a vector', { vision: { data: new Float32Array(12), dims: [12] } }, "'vision': expected a matrix"],
    ['features of another length', { visionFeatures: [[1], [2]] }, "'visionFeatures': expected 30 rows"],
    [
      'text of another width',
      { text: [[1, 2, 3]] },
      "'coverage(text).tensors/text': expected shape [m, D] with D = 12",
    ],
    [
      'data of another length',
      { vision: { data: new Float32Array(7), dims: [30, 12] } },
      'needs 360 elements',
    ],
  ])('rejects %s', async (_, wrong, message) => {
    const act = selectTokens({ ...base, ...wrong, budget: { tokens: 4 } });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow(message);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a missing backend', { backend: undefined }, 'expected a backend'],
    ['something else as backend', { backend: { name: 'ort' } }, 'expected a backend'],
    ['no terms', { coverage: [] }, 'at least one term'],
    ['terms that are none', { coverage: [{ name: 'text' }] }, 'expected a term made by'],
    ['a factory for a term', { coverage: [textCoverage] }, 'expected a term made by'],
    [
      'two terms of one name',
      { coverage: [visionCoverage(), visionCoverage({ weight: 2 })] },
      'different names',
    ],
    ['an unknown search', { maximizer: 'fast' }, "expected 'lazy'"],
    ['a ceiling of 0', { maxMatrixBytes: 0 }, 'maxMatrixBytes'],
    ['a ceiling that is not a number', { maxMatrixBytes: '1 GiB' }, 'maxMatrixBytes'],
  ])('rejects %s', async (_, wrong, message) => {
    const act = selectTokens({ ...base, ...wrong, budget: { tokens: 4 } } as unknown as SelectOptions);
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(message);
  });

  it('rejects a matrix above the ceiling before anything is computed, and takes one of exactly that size', async () => {
    const bytes = 30 * 30 * 4;
    const act = selectTokens({
      ...base,
      backend: refusing,
      coverage: [visionCoverage()],
      maxMatrixBytes: bytes - 1,
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(MatrixTooLargeError);
    await expect(act).rejects.toMatchObject({ bytes, code: 'MMTOK_MATRIX_TOO_LARGE' });
    await expect(act).rejects.toThrow(/'vision'.*30 × 30/);
    const fits = await selectTokens({ ...base, maxMatrixBytes: bytes, budget: { tokens: 4 } });
    expect(fits.order).toHaveLength(4);
  });

  it.each([
    // 3,000² floats are 0.034 GiB, which peak at 2.5 times; the tensor is 3,000 × 2 floats.
    ['lazy', '0.08 GiB of memory'],
    ['device', '0.08 GiB of memory'],
  ] as const)('says what memory a matrix takes with the maximizer %s', async (maximizer, memory) => {
    const image = { data: new Float32Array(6000).fill(1), dims: [3000, 2] };
    const act = selectTokens({
      backend: refusing,
      vision: image,
      coverage: [visionCoverage()],
      maximizer,
      maxMatrixBytes: 1,
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(memory);
  });

  it.each([
    ['a term that can be sampled', visionCoverage(), 'Sample its targets: give the term the option sample:'],
    [
      'a sampled term',
      visionCoverage({ sample: { targets: 32 } }),
      'Sample fewer targets than sample: { targets: 32 }',
    ],
    [
      "a user's own term over the candidates",
      defineCoverage({
        name: 'own',
        inputs: { vision: { dims: ['n', 'd'] } },
        targets: 'n',
        build: (ops, { vision }) => ({ affinity: ops.matMul(vision, vision, { transposeB: true }) }),
      })(),
      'Define the term with drawsTargets: true and context.draw',
    ],
    [
      'a term over something else',
      textCoverage(),
      "Pass fewer targets (rows or columns of its dimension 'm')",
    ],
  ])('says how to make the matrix of %s smaller', async (_, term, hint) => {
    const vision = { data: new Float32Array(80).fill(1), dims: [40, 2] };
    const text = { data: Float32Array.of(1, 1), dims: [1, 2] };
    const act = selectTokens({
      backend: refusing,
      vision,
      text,
      coverage: [term],
      maxMatrixBytes: 1,
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(hint);
  });

  it('rethrows errors of the backend', async () => {
    await expect(selectTokens({ ...base, backend: refusing, budget: { tokens: 4 } })).rejects.toThrow(
      'the backend was used',
    );
  });

  it('works with a backend that ignores the given memory', async () => {
    const aloof: Backend = { ...backend, run: (program, inputs) => backend.run(program, inputs) };
    const budget = { tokens: 6 };
    const wanted = await selectTokens({ ...base, budget });
    // Another image's numbers pass through the memory in between.
    await selectTokens({ ...base, vision: map(5, 6, 12, 7), visionFeatures: map(5, 6, 8, 8), budget });
    const selection = await selectTokens({ ...base, backend: aloof, budget });
    expect(selection.order).toEqual(wanted.order);
    expect(selection.gains).toEqual(wanted.gains);
  });
});

describe('a custom input with the wrong number of rows', () => {
  const prior = tableTerm('prior');
  it.each([4, 29, 31, 60])('%d instead of 30 is rejected', async (rows) => {
    const act = selectTokens({
      ...base,
      coverage: [prior()],
      inputs: { prior: range(rows).map(() => [1, 2]) },
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow(/prior/);
    await expect(act).rejects.toThrow(/30/);
  });
});
