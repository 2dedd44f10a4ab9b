// ONNX Runtime returns an exposed tensor, and it equals what the graph computes inside.
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  appendGraphOutput,
  encodeModel,
  graphOutputSuffix,
  OnnxFormatError,
  OnnxModelError,
  readGraph,
} from './index.js';

const bytes = encodeModel({
  graph: {
    name: 'projector',
    inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['n', 1] }],
    nodes: [
      { opType: 'MatMul', inputs: ['x', 'w1'], outputs: ['/hidden'] },
      { opType: 'Relu', inputs: ['/hidden'], outputs: ['/active'] },
      { opType: 'MatMul', inputs: ['/active', 'w2'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'w1', dtype: 'float32', dims: [2, 2], data: [1, 0, 0, -1] },
      { name: 'w2', dtype: 'float32', dims: [2, 1], data: [1, 1] },
    ],
  },
});
const x = new Tensor('float32', [1, 2, 3, 4], [2, 2]);

describe('appendGraphOutput', () => {
  it('makes the runtime return the inner tensor in addition to the existing outputs', async () => {
    const session = await InferenceSession.create(appendGraphOutput(bytes, '/hidden'));
    expect(session.outputNames).toEqual(['y', '/hidden']);
    const { y, '/hidden': hidden } = await session.run({ x });
    expect(hidden!.dims).toEqual([2, 2]);
    expect([...(hidden!.data as Float32Array)]).toEqual([1, -2, 3, -4]);
    expect([...(y!.data as Float32Array)]).toEqual([1, 3]);
  });

  it('can be repeated for more tensors, and leaves the original bytes unchanged', async () => {
    const both = appendGraphOutput(appendGraphOutput(bytes, '/hidden'), '/active');
    expect(both.subarray(0, bytes.length)).toEqual(bytes);
    expect(readGraph(both).outputs.map((output) => output.name)).toEqual(['y', '/hidden', '/active']);
    const session = await InferenceSession.create(both);
    const { '/active': active } = await session.run({ x }, ['/active']);
    expect([...(active!.data as Float32Array)]).toEqual([1, 0, 3, 0]);
  });

  it('returns the same bytes if the tensor is already an output', () => {
    expect(appendGraphOutput(bytes, 'y')).toBe(bytes);
  });

  it('rejects a name that the graph does not have', () => {
    expect(() => appendGraphOutput(bytes, 'nope')).toThrow(OnnxModelError);
    expect(() => appendGraphOutput(bytes, 'nope')).toThrow("'projector' has no tensor 'nope'");
    expect(() => appendGraphOutput(bytes, '')).toThrow(OnnxModelError);
  });

  it('rejects bytes that are not a model', () => {
    expect(() => appendGraphOutput(new Uint8Array(8), 'y')).toThrow(OnnxFormatError);
  });
});

describe('graphOutputSuffix', () => {
  it('is what appendGraphOutput writes after the file', () => {
    const suffix = graphOutputSuffix('/hidden');
    expect(appendGraphOutput(bytes, '/hidden')).toEqual(Uint8Array.from([...bytes, ...suffix]));
    expect(suffix.length).toBeLessThan(20);
  });
});
