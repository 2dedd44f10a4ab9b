// Compares torch files with those of torch.save, and reads them back with torch.load if Python has PyTorch.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  InvalidRowsError,
  imageEmbedsPart,
  promptEmbedsPart,
  type TorchDtype,
  toTorchFile,
} from '../src/index.js';
import { readTorchFile, readZip } from './support/read-torch.js';

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const values = (...shape: number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index / 7 - 20);
const rows = { data: values(5, 8), dims: [5, 8] };
const rowsFile = (dtype: 'bfloat16' | 'float16'): Buffer =>
  Buffer.from(imageEmbedsPart(rows, { dtype }).image_embeds as string, 'base64');
const grid = toTorchFile({ dtype: 'int64', data: BigInt64Array.of(1n, 2n, 10n), shape: [3] });
const float32 = toTorchFile({ dtype: 'float32', data: rows.data, shape: [5, 8] });

const files: readonly (readonly [name: string, file: Buffer, dtype: TorchDtype])[] = [
  ['rows.bfloat16.pt', rowsFile('bfloat16'), 'bfloat16'],
  ['rows.float16.pt', rowsFile('float16'), 'float16'],
  ['rows.float32.pt', float32, 'float32'],
  ['grid.int64.pt', grid, 'int64'],
];

describe.each(files)('%s', (name, file) => {
  test('has the entries of torch.save, byte for byte', () => {
    const theirs = readZip(fixture(name));
    theirs.delete('.data/serialization_id'); // a number of torch's own
    expect([...readZip(file).keys()]).toEqual([...theirs.keys()]);
    for (const [entry, content] of readZip(file)) expect(content, entry).toEqual(theirs.get(entry));
  });

  test('aligns the tensor at 64 bytes, as torch does', () => {
    const { data } = readTorchFile(file);
    expect((data.byteOffset - file.byteOffset) % 64).toBe(0);
  });
});

test('sizes of two and four bytes are pickled as Python does', () => {
  const data = new Uint16Array(300 * 300);
  const file = toTorchFile({ dtype: 'bfloat16', data, shape: [300, 300] });
  expect(readZip(file).get('data.pkl')).toEqual(fixture('large.bfloat16.pkl'));
});

describe('half precision rounds as torch does', () => {
  const bits = fixture('halves.float32.bin');
  const edges = new Float32Array(bits.buffer.slice(bits.byteOffset, bits.byteOffset + bits.length));
  test.each(['bfloat16', 'float16'] as const)('%s', (dtype) => {
    const part = promptEmbedsPart({ data: edges, dims: [1, edges.length] }, { dtype });
    expect(readTorchFile(Buffer.from(part.data, 'base64')).data).toEqual(fixture(`halves.${dtype}.bin`));
  });

  test('rejects a number that half precision cannot represent', () => {
    const large = { data: Float32Array.of(1, 65520), dims: [1, 2] };
    expect(() => promptEmbedsPart(large, { dtype: 'float16' })).toThrow(InvalidRowsError);
    expect(() => promptEmbedsPart({ data: Float32Array.of(3.4e38), dims: [1, 1] })).toThrow(InvalidRowsError);
  });
});

describe('rejects rows that must not be sent', () => {
  test.each([
    ['no rows', { data: new Float32Array(0), dims: [0, 8] }],
    ['a vector', { data: new Float32Array(8), dims: [8] }],
    ['a batch', { data: new Float32Array(8), dims: [1, 1, 8] }],
    ['another length', { data: new Float32Array(9), dims: [1, 8] }],
    ['NaN', { data: Float32Array.of(1, Number.NaN), dims: [1, 2] }],
    ['infinity', { data: Float32Array.of(1, Number.POSITIVE_INFINITY), dims: [1, 2] }],
    ['another type', { data: [1, 2] as unknown as Float32Array, dims: [1, 2] }],
  ])('%s', (_, bad) => {
    expect(() => imageEmbedsPart(bad)).toThrow(InvalidRowsError);
  });

  test('another hidden size', () => {
    expect(() => imageEmbedsPart(rows, { hiddenSize: 16 })).toThrow(/hidden size is 16/);
  });

  test.each([[[1, 2, 12]], [[1, 4, 4]], [[1, 1, 20]], [[1, -2, -10]], [[1, 2.5, 8]]] as const)(
    'the grid %j for five rows',
    (bad) => {
      expect(() => imageEmbedsPart(rows, { grid: bad })).toThrow(InvalidRowsError);
    },
  );

  test('a matching grid is written next to the rows', () => {
    const part = imageEmbedsPart(rows, { grid: [1, 2, 10] }).image_embeds;
    expect(part).toMatchObject({ image_grid_thw: grid.toString('base64') });
  });
});

const python = process.env.MMTOK_TORCH_PYTHON ?? 'python3';
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;

test.runIf(hasTorch)('torch.load reads them back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmtok-torch-'));
  try {
    for (const [name, file] of files) {
      writeFileSync(join(folder, name), file);
      writeFileSync(join(folder, `${name}.theirs`), fixture(name));
    }
    const program = `
import sys, torch
for name in sys.argv[2:]:
    ours, theirs = (torch.load(f'{sys.argv[1]}/{name}{end}', weights_only=True) for end in ('', '.theirs'))
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and torch.equal(ours, theirs), name
    assert ours.is_contiguous() and not ours.requires_grad
print('equal')`;
    const names = files.map(([name]) => name);
    const run = spawnSync(python, ['-c', program, folder, ...names], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.stdout.trim()).toBe('equal');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
