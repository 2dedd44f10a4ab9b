// The check of a program's inputs: what every backend rejects, and the messages.

import { describe, expect, it } from 'vitest';
import { InvalidTensorError } from '../errors.js';
import { checkInputs, defineProgram } from './backend.js';
import { float32, type HostTensor } from './tensor.js';

const program = defineProgram({
  name: 'demo',
  inputs: { x: { dims: ['n', 'd'] }, y: { dims: ['m', 'd'] }, at: { dims: ['k'], dtype: 'int32' } },
  outputs: { x: { dims: ['n', 'd'] } },
  build: (_ops, { x }) => ({ x }),
});

const zeros = (...dims: number[]): HostTensor =>
  float32(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
const good = {
  x: zeros(4, 3),
  y: zeros(0, 3),
  at: { type: 'int32', data: new Int32Array(2), dims: [2] },
} as const;

describe('checkInputs', () => {
  it('returns the length of every named dimension', () => {
    expect(Object.fromEntries(checkInputs(program, good))).toEqual({ n: 4, d: 3, m: 0, k: 2 });
  });

  it('takes float16 for float32', () => {
    const x = { type: 'float16', data: new Uint16Array(12), dims: [4, 3] } as const;
    expect(checkInputs(program, { ...good, x }).get('n')).toBe(4);
  });

  it.each<[string, Readonly<Record<string, HostTensor | undefined>>, string | RegExp]>([
    ['a missing input', { ...good, y: undefined }, "'demo.y': expected shape [m, d], got no tensor"],
    ['indices where floats belong', { ...good, y: good.at }, /'demo\.y': expected type float32, got int32/],
    [
      'floats where indices belong',
      { ...good, at: zeros(2) },
      /'demo\.at': expected type int32, got float32/,
    ],
    [
      'halfs where indices belong',
      { ...good, at: { type: 'float16', data: new Uint16Array(2), dims: [2] } },
      /expected type int32, got float16/,
    ],
    ['a wrong rank', { ...good, x: zeros(4) }, "'demo.x': expected shape [n, d], got [4]"],
    [
      'a scalar for a vector',
      { ...good, at: { type: 'int32', data: new Int32Array(1), dims: [] } },
      'got []',
    ],
    [
      'dimensions that disagree between inputs',
      { ...good, y: zeros(2, 5) },
      "'demo.y': expected shape [m, d] with d = 3 as in the other inputs, got [2, 5]",
    ],
    [
      'fewer elements than the shape says',
      { ...good, x: float32(new Float32Array(11), [4, 3]) },
      /'demo\.x'.*\[4, 3\].*12.*11/,
    ],
    ['more elements than the shape says', { ...good, x: float32(new Float32Array(13), [4, 3]) }, /12.*13/],
  ])('rejects %s', (_, inputs, message) => {
    expect(() => checkInputs(program, inputs)).toThrow(InvalidTensorError);
    expect(() => checkInputs(program, inputs)).toThrow(message);
  });

  it('rejects dimensions that disagree within one input', () => {
    const square = defineProgram({
      name: 'square',
      inputs: { x: { dims: ['n', 'n'] } },
      outputs: { x: { dims: ['n', 'n'] } },
      build: (_ops, { x }) => ({ x }),
    });
    expect(() => checkInputs(square, { x: zeros(2, 3) })).toThrow(InvalidTensorError);
    expect(checkInputs(square, { x: zeros(3, 3) }).get('n')).toBe(3);
  });
});

describe('defineProgram', () => {
  it('freezes the program, so that a backend may cache what it compiled', () => {
    expect(Object.isFrozen(program)).toBe(true);
  });
});
