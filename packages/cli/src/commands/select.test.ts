import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OfficialSelection, officialInputs, officialSelections } from '@mmtok/core/testing';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { encodeSafetensors, f32, type RawTensor } from '../../test/encode-safetensors.js';
import { fakeIo } from '../../test/fake-io.js';
import { main } from '../main.js';

/** Pseudo-random numbers, the same each time. */
function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648 - 0.5;
  });
}

const features = {
  vision_tokens: f32(noise(40 * 8, 1), [40, 8]),
  vision_features: f32(noise(40 * 6, 2), [40, 6]),
  text_tokens: f32(noise(3 * 8, 3), [3, 8]),
};

async function select(tensors: Readonly<Record<string, RawTensor>>, ...flags: readonly string[]) {
  const io = fakeIo({ stdin: encodeSafetensors(tensors) });
  const exitCode = await main(['select', '-', '--backend', 'cpu', ...flags], io);
  return { exitCode, out: io.out(), err: io.err() };
}

describe('mmtok select', () => {
  it('prints the selection as JSON', async () => {
    const { exitCode, out } = await select(features, '--keep', '10%', '--json');
    expect(exitCode).toBe(0);
    const selection = JSON.parse(out);
    expect(selection).toMatchObject({
      keptTokens: 4,
      visionTokens: 40,
      coverage: { text: expect.any(Number), vision: expect.any(Number) },
      reason: 'pruned',
      notes: [],
      backend: 'reference (cpu)',
    });
    expect(selection.indices).toEqual([...selection.order].sort((a: number, b: number) => a - b));
    expect(selection.gains).toHaveLength(4);
    expect(selection.optimality).toBeGreaterThan(0.6);
  });

  it('reads a file, and gives the same on ONNX Runtime', async () => {
    const folder = temporary();
    await writeFile(join(folder, 'x.safetensors'), encodeSafetensors(features));
    const io = fakeIo({ cwd: folder });
    expect(await main(['select', 'x.safetensors', '--keep', '10%', '--json'], io)).toBe(0);
    const onOrt = JSON.parse(io.out());
    const onReference = JSON.parse((await select(features, '--keep', '10%', '--json')).out);
    expect(onOrt.backend).toBe('ort (cpu)');
    expect(onOrt.order).toEqual(onReference.order);
  });

  it('reproduces the official selections', async () => {
    const official = officialSelections.find((each) => each.excludedFirst > 0) as OfficialSelection;
    const { vision, visionFeatures, text } = officialInputs(official);
    const matrix = (input: { readonly data: ArrayLike<number>; readonly dims: readonly number[] }) =>
      f32(input.data, input.dims);
    const { out } = await select(
      {
        vision_tokens: matrix(vision),
        vision_features: matrix(visionFeatures),
        ...(text && { text_tokens: matrix(text) }),
      },
      ...['--keep', String(official.budget), '--json', '--exclude', `0-${official.excludedFirst - 1}`],
      ...['--text-temperature', String(official.textTemperature)],
      ...['--vision-temperature', String(official.visionTemperature), '--alpha', String(official.alpha)],
    );
    expect(JSON.parse(out)).toMatchObject({
      indices: official.officialIndices,
      order: official.float64Order,
    });
  });

  it('respects options', async () => {
    const chosen = async (...flags: readonly string[]) =>
      JSON.parse((await select(features, '--keep', '6', '--json', ...flags)).out).indices as number[];
    const constrained = await chosen('--exclude', '0-29', '--include', '31,39');
    expect(constrained).toEqual(expect.arrayContaining([31, 39]));
    expect(Math.min(...constrained)).toBeGreaterThan(29);
    expect(await chosen('--alpha', '0')).not.toEqual(await chosen('--alpha', '5'));
    const covering = JSON.parse((await select(features, '--keep', 'c0.9', '--json')).out);
    expect(covering.reason).toBe('coverageReached');
  });

  it('weights coverage by the question with a focus', async () => {
    const chosen = async (...flags: readonly string[]) =>
      JSON.parse((await select(features, '--keep', '6', '--json', ...flags)).out);
    const focused = await chosen('--focus', '4');
    expect(focused.coverage).toEqual({ vision: expect.any(Number) });
    expect(focused.order).not.toEqual((await chosen('--focus', '0')).order);
  });

  it('prints the same as text', async () => {
    const { out } = await select(features, '--keep', '4');
    expect(out).toMatch(/^4 of 40 tokens kept \(10\.0 %\)\n/);
    expect(out).toMatch(/optimality {2}at least \d+\.\d % of the best possible/);
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^\d+ \d+ \d+ \d+$/);
  });

  it('keeps everything if the budget allows it, and says so', async () => {
    const { exitCode, out } = await select(features, '--keep', '99');
    expect(exitCode).toBe(0);
    expect(out).toContain('40 of 40 tokens kept');
    expect(out).toContain('no more than the budget');
  });

  it('works without text and vision features, and says so', async () => {
    const { exitCode, out } = await select({ vision_tokens: features.vision_tokens }, '--keep', '4');
    expect(exitCode).toBe(0);
    expect(out).toContain('no text tokens were given');
  });

  it.each([
    ['no vision tokens', { text_tokens: features.text_tokens }, "there is no tensor 'vision_tokens'"],
    ['integers', { vision_tokens: { dtype: 'I8', shape: [2, 2], bytes: new Uint8Array(4) } }, 'has type I8'],
    ['a vector', { vision_tokens: f32([1, 2, 3], [3]) }, "Tensor 'vision': expected a matrix"],
    ['NaN', { vision_tokens: f32([1, Number.NaN, 3, 4], [2, 2]) }, 'row 0, column 1 is NaN'],
    [
      'infinity',
      { vision_tokens: f32([1, 2, 3, Number.POSITIVE_INFINITY], [2, 2]) },
      'row 1, column 1 is Infinity',
    ],
    [
      'features of another number of tokens',
      { ...features, vision_features: f32(noise(8, 1), [4, 2]) },
      'expected 40 rows, one per vision token, got 4',
    ],
    ['text of another width', { ...features, text_tokens: f32(noise(6, 1), [2, 3]) }, 'text'],
  ])('rejects %s', async (_, tensors, problem) => {
    const { exitCode, out, err } = await select(tensors, '--keep', '1');
    expect(err).toContain(problem);
    expect(exitCode).toBe(2);
    expect(out).toBe('');
  });

  it.each([
    [['--exclude', '40'], 'expected an index below 40'],
    [
      ['--exclude', '0-999999'],
      'exclude.40: expected an index below 40, the number of vision tokens, got 40.',
    ],
    [['--include', '1', '--exclude', '1'], 'both included and excluded'],
  ])('rejects %j', async (flags, problem) => {
    const { exitCode, err } = await select(features, '--keep', '4', ...flags);
    expect(err).toContain(problem);
    expect(err.length).toBeLessThan(1000);
    expect(exitCode).toBe(2);
  });
});
