// Typed errors: codes, names, fields, readable messages, and recognition across copies of the package and realms.

import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import {
  BackendRunError,
  BackendUnavailableError,
  DisposedError,
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidSelectionError,
  InvalidTensorError,
  MatrixTooLargeError,
  MmtokError,
  messageOf,
  parseOptions,
  UnsupportedOpError,
} from './errors.js';

const cause = new Error('the engine said no');
const examples = [
  ['BackendRunError', 'MMTOK_BACKEND_RUN', new BackendRunError('ort', 'gram', cause)],
  [
    'BackendUnavailableError',
    'MMTOK_BACKEND_UNAVAILABLE',
    new BackendUnavailableError('ort', 'cannot find it', 'npm install onnxruntime-node', { cause }),
  ],
  ['DisposedError', 'MMTOK_DISPOSED', new DisposedError('A prepared image')],
  ['InvalidBudgetError', 'MMTOK_INVALID_BUDGET', new InvalidBudgetError('got 0')],
  ['InvalidOptionsError', 'MMTOK_INVALID_OPTIONS', new InvalidOptionsError('options', ['a: b'])],
  ['InvalidSelectionError', 'MMTOK_INVALID_SELECTION', new InvalidSelectionError('mine', 'picked 1 twice')],
  ['InvalidTensorError', 'MMTOK_INVALID_TENSOR', new InvalidTensorError('vision', 'is missing')],
  [
    'MatrixTooLargeError',
    'MMTOK_MATRIX_TOO_LARGE',
    new MatrixTooLargeError('vision', 100, 200, 'Sample its targets', { ceiling: 1000 }),
  ],
  ['UnsupportedOpError', 'MMTOK_UNSUPPORTED_OP', new UnsupportedOpError('loop', 'tfjs')],
] as const;

it('a message stays short, however long the names and values in it', () => {
  const name = '😀'.repeat(50_000);
  for (const error of [
    new InvalidTensorError(name, 'is missing'),
    new InvalidBudgetError(`got ${name}`),
    new InvalidOptionsError('options', [`Unrecognized key: "${name}"`]),
  ]) {
    expect(error.message.length).toBeLessThan(5000);
    expect(error.message).toMatch(/… \(100\d{3} characters\)/);
    expect(() => encodeURIComponent(error.message)).not.toThrow();
  }
});

describe.each(examples)('%s', (name, code, error) => {
  it('has its name, its code and the base class', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(MmtokError);
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(error.stack).toContain(error.message);
  });

  it('says what is wrong, who can act and what to do', () => {
    expect(['usage', 'environment', 'data']).toContain(error.kind);
    expect(error.problem).not.toBe('');
    expect(error.message).toContain(error.problem);
    if (error.hint !== undefined)
      expect(error.message).toMatch(new RegExp(`[.!?] ${error.hint.slice(0, 5)}`));
  });

  it('is recognized, by its own code only', () => {
    expect(MmtokError.isInstance(error)).toBe(true);
    expect(MmtokError.isInstance(error, code)).toBe(true);
    expect(MmtokError.isInstance(error, 'MMTOK_SOMETHING_ELSE')).toBe(false);
  });
});

describe('fields and messages', () => {
  it('names backend, program and cause of a failed run', () => {
    const error = new BackendRunError('ort', 'gram', cause);
    expect(error).toMatchObject({ backend: 'ort', program: 'gram', cause });
    expect(error.message).toContain('the engine said no');
    expect(new BackendRunError('ort', 'gram', 'a bare string').message).toContain('a bare string');
  });

  it('says how to get a missing engine', () => {
    const error = new BackendUnavailableError('ort', 'cannot find it', 'npm install onnxruntime-node', {
      cause,
    });
    expect(error).toMatchObject({
      problem: 'cannot find it',
      backend: 'ort',
      hint: 'npm install onnxruntime-node',
      cause,
    });
    expect(error.message).toContain('npm install onnxruntime-node');
  });

  it('names the tensor', () => {
    const error = new InvalidTensorError('coverage(text).affinity', 'is negative');
    expect(error.tensor).toBe('coverage(text).affinity');
    expect(error.message).toBe("Tensor 'coverage(text).affinity': is negative.");
  });

  it('gives the size of a matrix that is too large', () => {
    const error = new MatrixTooLargeError('vision', 100_000, 100_000, 'Sample its targets', {
      ceiling: 2 ** 30,
      peak: 2.5 * 4e10,
    });
    expect(error.bytes).toBe(4e10);
    expect(error.message).toMatch(/'vision'.*100000 × 100000.*37\.25 GiB.*93\.13 GiB.*1\.00 GiB/);
  });

  it('names op and backend of an unsupported operation', () => {
    const error = new UnsupportedOpError('softmax', 'tfjs', 'axis 0');
    expect(error).toMatchObject({ op: 'softmax', backend: 'tfjs' });
    expect(error.message).toContain('(axis 0)');
  });
});

describe('messageOf', () => {
  it('returns the message of anything thrown, and never throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect([new Error('a'), 'b', 3, undefined, Symbol('c')].map(messageOf)).toEqual([
      'a',
      'b',
      '3',
      'undefined',
      'Symbol(c)',
    ]);
    expect(messageOf(Object.create(null))).toMatch(/\S/);
    expect(messageOf(proxy)).toMatch(/\S/);
  });
});

describe('MmtokError.isInstance', () => {
  it('recognizes errors of another copy of the package', async () => {
    vi.resetModules();
    const copy = await import('./index.js');
    const foreign = new copy.InvalidBudgetError('got 0');
    expect(foreign instanceof MmtokError).toBe(false);
    expect(MmtokError.isInstance(foreign, 'MMTOK_INVALID_BUDGET')).toBe(true);
    expect(copy.MmtokError.isInstance(new InvalidBudgetError('got 0'))).toBe(true);
  });

  it('recognizes errors of another realm', () => {
    const foreign: unknown = runInNewContext(
      `Object.defineProperty(new Error('elsewhere'), Symbol.for('mmtok.error'), { value: true })`,
    );
    expect(foreign instanceof Error).toBe(false);
    expect(MmtokError.isInstance(foreign)).toBe(true);
    expect(MmtokError.isInstance(foreign, 'MMTOK_INVALID_BUDGET')).toBe(false);
  });

  it.each([
    null,
    undefined,
    0,
    'MMTOK_INVALID_BUDGET',
    {},
    new Error('plain'),
    { code: 'MMTOK_INVALID_BUDGET' },
  ])('is false for %o', (value) => {
    expect(MmtokError.isInstance(value)).toBe(false);
  });

  it('keeps the marker out of serialized errors', () => {
    expect(Object.keys(new InvalidBudgetError('got 0'))).not.toContain('mmtok.error');
  });
});

describe('parseOptions', () => {
  const schema = z.strictObject({ a: z.number(), b: z.strictObject({ c: z.string() }).optional() });

  it('returns the output of the schema', () => {
    expect(parseOptions('options', schema, { a: 1 })).toEqual({ a: 1 });
  });

  it('lists every problem with its path', () => {
    expect(() => parseOptions('options of x', schema, { a: 'one', b: { c: 2 } })).toThrow(
      /^Invalid options of x: a: .*; b\.c: /,
    );
    expect(() => parseOptions('options of x', schema, undefined)).toThrow(InvalidOptionsError);
  });

  it('lists the first five of many problems, and counts the others', () => {
    const list = (length: number) => Array.from({ length }, () => -1);
    const parse = (length: number) => () =>
      parseOptions('list', z.array(z.int().min(0, 'is low')), list(length));
    expect(parse(5)).toThrow(/^Invalid list: 0: is low; .*4: is low\.$/);
    expect(parse(100_000)).toThrow(/4: is low; and 99995 more\.$/);
  });
});
