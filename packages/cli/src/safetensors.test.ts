import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../vitest.temporary.js';
import { encodeSafetensors, f32, fileOf } from '../test/encode-safetensors.js';
import { SafetensorsFile } from './safetensors.js';

const open = (file: Uint8Array) => () => new SafetensorsFile(file);
const entry = (dtype: string, shape: readonly number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const bytes = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('SafetensorsFile', () => {
  it('reads all float types at any offset', () => {
    const file = new SafetensorsFile(
      encodeSafetensors({
        odd: { dtype: 'U8', shape: [3], bytes: new Uint8Array(3) },
        half: { dtype: 'F16', shape: [1, 2], bytes: bytes(Uint16Array.of(0x3c00, 0xc000)) },
        brain: { dtype: 'BF16', shape: [1, 3], bytes: bytes(Uint16Array.of(0x3f80, 0xc049, 0x7fc0)) },
        single: f32([1.5, -2.25], [2, 1]),
        double: { dtype: 'F64', shape: [1, 1], bytes: bytes(Float64Array.of(0.1)) },
        empty: f32([], [0, 4]),
      }),
    );
    expect(file.names).toEqual(['odd', 'half', 'brain', 'single', 'double', 'empty']);
    expect(file.get('half')).toEqual({ type: 'float16', data: Uint16Array.of(0x3c00, 0xc000), dims: [1, 2] });
    expect(file.get('brain')).toEqual({
      type: 'float32',
      data: Float32Array.of(1, -3.140625, Number.NaN),
      dims: [1, 3],
    });
    expect(file.get('single')).toEqual({ type: 'float32', data: Float32Array.of(1.5, -2.25), dims: [2, 1] });
    expect(file.get('double')).toEqual({ type: 'float64', data: Float64Array.of(0.1), dims: [1, 1] });
    expect(file.get('empty')).toEqual({ type: 'float32', data: new Float32Array(), dims: [0, 4] });
    expect(file.find('absent')).toBeUndefined();
  });

  it('reads a view into a larger buffer, and a header padded with spaces', () => {
    const file = fileOf(`${JSON.stringify({ x: entry('F32', [1, 1], 0, 4) })}   `, bytes(Float32Array.of(7)));
    const padded = new Uint8Array(file.length + 3);
    padded.set(file, 3);
    expect(new SafetensorsFile(padded.subarray(3)).get('x')).toMatchObject({ data: Float32Array.of(7) });
  });

  it('reports missing tensors and unsupported types', () => {
    const file = new SafetensorsFile(
      encodeSafetensors({ ids: { dtype: 'I64', shape: [1], bytes: new Uint8Array(8) } }),
    );
    expect(() => file.get('vision_tokens')).toThrow(
      "Invalid safetensors: there is no tensor 'vision_tokens'; the file has 'ids'.",
    );
    expect(() => file.get('ids')).toThrow("tensor 'ids' has type I64; expected F32, F16, BF16 or F64");
    expect(() => new SafetensorsFile(fileOf('{}')).get('x')).toThrow('the file has no tensors');
  });

  it('ignores tensors of unknown types', () => {
    const header = JSON.stringify({ new: entry('F4', [5], 0, 3), x: entry('F32', [1, 1], 3, 7) });
    const file = new SafetensorsFile(fileOf(header, new Uint8Array(7)));
    expect(file.get('x')).toMatchObject({ dims: [1, 1] });
    expect(() => file.get('new')).toThrow('has type F4');
  });

  it('accepts null metadata like the reference reader', () => {
    const header = JSON.stringify({ __metadata__: null, x: entry('F32', [1, 1], 0, 4) });
    expect(new SafetensorsFile(fileOf(header, new Uint8Array(4))).names).toEqual(['x']);
  });

  it('reads only requested tensors from disk, even beyond 2 GiB', () => {
    const path = join(temporary(), 'large.safetensors');
    const gap = 2 ** 31 + 8;
    const header = JSON.stringify({
      padding: entry('U8', [gap], 0, gap),
      x: entry('F32', [1, 2], gap, gap + 8),
    });
    const start = fileOf(header);
    const handle = openSync(path, 'w');
    // A sparse file: what is not written takes no room.
    writeSync(handle, start);
    writeSync(handle, bytes(Float32Array.of(3, 4)), 0, 8, start.length + gap);
    closeSync(handle);
    const file = SafetensorsFile.open(path);
    expect(file.get('x')).toMatchObject({ data: Float32Array.of(3, 4), dims: [1, 2] });
    file.close();
    rmSync(path);
  });

  it('shortens long names and long lists in messages', () => {
    const name = 'x'.repeat(150_000);
    const messageOf = (file: () => unknown): string => {
      try {
        file();
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const many = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [
        `t${i}`,
        { dtype: 'U8', shape: [0], bytes: new Uint8Array() },
      ]),
    );
    const messages = [
      () => new SafetensorsFile(fileOf(JSON.stringify({ [name]: 1 }))),
      () =>
        new SafetensorsFile(fileOf(JSON.stringify({ [name]: entry('F32', [2], 0, 4) }), new Uint8Array(4))),
      () => new SafetensorsFile(fileOf(JSON.stringify({ [name]: entry(name, [0], 0, 0) }))).get(name),
      () => new SafetensorsFile(fileOf(JSON.stringify({ [name]: entry('U8', [0], 0, 0) }))).get('y'),
      () => new SafetensorsFile(encodeSafetensors(many)).get('y'),
    ].map(messageOf);
    for (const message of messages) {
      expect(message).not.toBe('');
      expect(message.length).toBeLessThan(1000);
    }
    expect(messages[4]).toContain("'t19' and 9980 others");
  });

  it.each([
    ['an empty file', new Uint8Array(), 'has 0 bytes, too few'],
    ['another kind of file', Buffer.from('\x89PNG\r\n\x1a\n and so on'), 'another kind of file'],
    ['a header beyond the end', Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 123]), 'it is truncated'],
    ['no JSON', fileOf('{"x": '), 'the header is not JSON'],
    ['no UTF-8', Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]), 'the header is not JSON'],
    ['a list', fileOf('[]'), 'the header has the wrong form'],
    ['metadata that is no text', fileOf('{"__metadata__": {"n": 1}}'), '__metadata__ has the wrong form'],
    [
      'no offsets',
      fileOf('{"x": {"dtype": "F32", "shape": [1]}}'),
      "the entry of tensor 'x' has the wrong form",
    ],
    [
      'a negative length',
      fileOf(JSON.stringify({ x: entry('F32', [-1], 0, 4) })),
      'shape: 0: expected 0 or more',
    ],
    [
      'offsets beyond 2^53',
      fileOf('{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 99999999999999999999]}}'),
      'wrong form',
    ],
    [
      'a shape that does not fit',
      fileOf(JSON.stringify({ x: entry('F32', [2, 2], 0, 12) }), new Uint8Array(12)),
      'needs 16 bytes, its offsets span 12',
    ],
    [
      'an end before the beginning',
      fileOf(JSON.stringify({ x: entry('F32', [0], 8, 4) }), new Uint8Array(8)),
      'ends before it begins',
    ],
    [
      'overlapping tensors',
      fileOf(JSON.stringify({ x: entry('F32', [2], 0, 8), y: entry('F32', [1], 4, 8) }), new Uint8Array(8)),
      "tensor 'y' overlaps tensor 'x'",
    ],
    [
      'a gap',
      fileOf(JSON.stringify({ x: entry('F32', [1], 0, 4), y: entry('F32', [1], 8, 12) }), new Uint8Array(12)),
      "4 bytes before tensor 'y' belong to no tensor",
    ],
    [
      'a file cut short',
      fileOf(JSON.stringify({ x: entry('F32', [2], 0, 8) }), new Uint8Array(5)),
      'it is truncated',
    ],
    [
      'bytes after the last tensor',
      fileOf(JSON.stringify({ x: entry('F32', [1], 0, 4) }), new Uint8Array(6)),
      "2 bytes after tensor 'x' belong to no tensor",
    ],
  ])('rejects %s', (_, file, problem) => {
    expect(open(file)).toThrow(expect.objectContaining({ code: 'MMTOK_SAFETENSORS' }));
    expect(open(file)).toThrow(problem);
  });
});
