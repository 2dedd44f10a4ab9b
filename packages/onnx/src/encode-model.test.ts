// ONNX Runtime loads and runs the encoded models: every dtype, every kind of attribute, subgraphs, symbolic dims.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  encodeModel,
  type OnnxGraph,
  type OnnxModel,
  OnnxModelError,
  type OnnxTensor,
  readGraph,
} from './index.js';

type Feeds = Record<string, Tensor>;

async function run(model: OnnxModel, feeds: Feeds = {}): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(encodeModel(model));
  try {
    return (await session.run(feeds)) as Record<string, Tensor>;
  } finally {
    await session.release();
  }
}

const float = (data: number[], dims: number[] = [data.length]) => new Tensor('float32', data, dims);

describe('encodeModel', () => {
  const raw = new Uint8Array(new Int16Array([-7, 9]).buffer);
  const constants: { tensor: OnnxTensor; expected: unknown[] }[] = [
    { tensor: { dtype: 'float32', dims: [2], data: new Float32Array([0.5, -2]) }, expected: [0.5, -2] },
    { tensor: { dtype: 'float32', dims: [2], data: [0.5, -2] }, expected: [0.5, -2] },
    { tensor: { dtype: 'float64', dims: [1], data: [0.1] }, expected: [0.1] },
    {
      tensor: { dtype: 'float16', dims: [2], data: new Uint16Array([0x3c00, 0xc000]) },
      expected: [0x3c00, 0xc000],
    },
    { tensor: { dtype: 'int64', dims: [2], data: [-3, 2n ** 40n] }, expected: [-3n, 2n ** 40n] },
    { tensor: { dtype: 'int64', dims: [1], data: new BigInt64Array([-1n]) }, expected: [-1n] },
    { tensor: { dtype: 'int32', dims: [2], data: [-3, 7] }, expected: [-3, 7] },
    { tensor: { dtype: 'int8', dims: [2], data: [-3, 7] }, expected: [-3, 7] },
    { tensor: { dtype: 'uint8', dims: [2], data: [200, 7] }, expected: [200, 7] },
    { tensor: { dtype: 'bool', dims: [2], data: [true, false] }, expected: [1, 0] },
    { tensor: { dtype: 'int16', dims: [2], raw }, expected: [-7, 9] },
    { tensor: { dtype: 'float32', dims: [], data: [4] }, expected: [4] },
    { tensor: { dtype: 'float32', dims: [0, 3], data: [] }, expected: [] },
  ];

  it.each(constants)(
    'writes $tensor.dtype initializers of shape $tensor.dims',
    async ({ tensor, expected }) => {
      const { y } = await run({
        graph: {
          inputs: [],
          outputs: [{ name: 'y', dtype: tensor.dtype, dims: tensor.dims }],
          nodes: [{ opType: 'Identity', inputs: ['c'], outputs: ['y'] }],
          initializers: [{ ...tensor, name: 'c' }],
        },
      });
      const data = y!.data as unknown;
      const view = data instanceof Uint16Array || ArrayBuffer.isView(data) ? bits(data) : data;
      expect(Array.from(view as ArrayLike<unknown>)).toEqual(expected);
      expect(y!.dims).toEqual(tensor.dims);
    },
  );

  // Newer versions of Node have Float16Array; the bits are the same.
  const bits = (view: ArrayBufferView): ArrayBufferView =>
    view.constructor.name === 'Float16Array'
      ? new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2)
      : view;

  it('writes a typed array that is a window into a larger buffer', async () => {
    const window = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    const { y } = await run({
      graph: {
        inputs: [],
        outputs: [{ name: 'y' }],
        nodes: [{ opType: 'Identity', inputs: ['c'], outputs: ['y'] }],
        initializers: [{ name: 'c', dtype: 'float32', dims: [2], data: window }],
      },
    });
    expect([...(y!.data as Float32Array)]).toEqual([2, 3]);
  });

  it('writes int, float and string attributes', async () => {
    const { last, leaky, text } = await run(
      {
        graph: {
          inputs: [{ name: 'x', dtype: 'float32', dims: [2, 2] }],
          outputs: [{ name: 'last' }, { name: 'leaky' }, { name: 'text' }],
          nodes: [
            { opType: 'Softmax', inputs: ['x'], outputs: ['last'], attributes: { axis: { int: -1 } } },
            {
              opType: 'LeakyRelu',
              inputs: ['x'],
              outputs: ['leaky'],
              attributes: { alpha: { float: 0.25 } },
            },
            {
              opType: 'Constant',
              inputs: [],
              outputs: ['text'],
              attributes: { value_string: { string: 'ü' } },
            },
          ],
        },
      },
      { x: float([0, 0, -4, -4], [2, 2]) },
    );
    expect([...(last!.data as Float32Array)]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...(leaky!.data as Float32Array)]).toEqual([0, 0, -1, -1]);
    expect(text!.data).toEqual(['ü']);
  });

  it('writes ints, floats, strings and tensor attributes', async () => {
    const { t, floats, strings, tensor } = await run(
      {
        graph: {
          inputs: [{ name: 'x', dtype: 'float32', dims: [1, 2] }],
          outputs: [{ name: 't' }, { name: 'floats' }, { name: 'strings' }, { name: 'tensor' }],
          nodes: [
            { opType: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: { ints: [1, 0] } } },
            {
              opType: 'Constant',
              inputs: [],
              outputs: ['floats'],
              attributes: { value_floats: { floats: [0.5, -1] } },
            },
            {
              opType: 'Constant',
              inputs: [],
              outputs: ['strings'],
              attributes: { value_strings: { strings: ['a', 'b'] } },
            },
            {
              opType: 'Constant',
              inputs: [],
              outputs: ['tensor'],
              attributes: { value: { tensor: { dtype: 'int64', dims: [1, 1], data: [5] } } },
            },
          ],
        },
      },
      { x: float([1, 2], [1, 2]) },
    );
    expect(t!.dims).toEqual([2, 1]);
    expect([...(floats!.data as Float32Array)]).toEqual([0.5, -1]);
    expect(strings!.data).toEqual(['a', 'b']);
    expect([...(tensor!.data as BigInt64Array)]).toEqual([5n]);
  });

  it('writes the body of a Loop, which reads the outer graph', async () => {
    const body: OnnxGraph = {
      inputs: [
        { name: 'i', dtype: 'int64', dims: [] },
        { name: 'going', dtype: 'bool', dims: [] },
        { name: 'sum', dtype: 'float32', dims: [1] },
      ],
      outputs: [
        { name: 'stillGoing', dtype: 'bool', dims: [] },
        { name: 'newSum', dtype: 'float32', dims: [1] },
        { name: 'trace', dtype: 'float32', dims: [1] },
      ],
      nodes: [
        { opType: 'Identity', inputs: ['going'], outputs: ['stillGoing'] },
        { opType: 'Add', inputs: ['sum', 'x'], outputs: ['newSum'] },
        { opType: 'Identity', inputs: ['newSum'], outputs: ['trace'] },
      ],
    };
    const { total, trace } = await run(
      {
        graph: {
          inputs: [{ name: 'x', dtype: 'float32', dims: [1] }],
          outputs: [{ name: 'total' }, { name: 'trace' }],
          nodes: [
            {
              opType: 'Loop',
              inputs: ['count', 'yes', 'zero'],
              outputs: ['total', 'trace'],
              attributes: { body: { graph: body } },
            },
          ],
          initializers: [
            { name: 'count', dtype: 'int64', dims: [], data: [3] },
            { name: 'yes', dtype: 'bool', dims: [], data: [true] },
            { name: 'zero', dtype: 'float32', dims: [1], data: [0] },
          ],
        },
      },
      { x: float([2]) },
    );
    expect([...(total!.data as Float32Array)]).toEqual([6]);
    expect([...(trace!.data as Float32Array)]).toEqual([2, 4, 6]);
  });

  it('writes named dims, whose lengths are known when the model runs', async () => {
    const bytes = encodeModel({
      graph: {
        inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 2] }],
        outputs: [{ name: 'y', dtype: 'float32', dims: ['n', 1] }],
        nodes: [{ opType: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
        initializers: [{ name: 'w', dtype: 'float32', dims: [2, 1], data: [3, 4] }],
      },
    });
    const session = await InferenceSession.create(bytes);
    expect(session.inputMetadata[0]).toMatchObject({ name: 'x', type: 'float32', shape: ['n', 2] });
    for (const rows of [1, 3]) {
      const x = float(new Array<number>(rows * 2).fill(1), [rows, 2]);
      const { y } = await session.run({ x });
      expect(y!.dims).toEqual([rows, 1]);
      expect([...(y!.data as Float32Array)]).toEqual(new Array(rows).fill(7));
    }
  });

  it('runs an operator of another domain, with an absent optional input', async () => {
    const { y } = await run(
      {
        opset: 17,
        domains: { 'com.microsoft': 1 },
        graph: {
          inputs: [{ name: 'x', dtype: 'float32', dims: [1] }],
          outputs: [{ name: 'y' }],
          nodes: [
            { opType: 'Gelu', domain: 'com.microsoft', name: 'gelu', inputs: ['x'], outputs: ['g'] },
            { opType: 'Clip', inputs: ['g', '', 'max'], outputs: ['y'] },
          ],
          initializers: [{ name: 'max', dtype: 'float32', dims: [], data: [1] }],
        },
      },
      { x: float([5]) },
    );
    expect([...(y!.data as Float32Array)]).toEqual([1]);
  });

  it('refers to weights in another file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mmtok-onnx-'));
    const data = new Float32Array([9, 9, 3, 4]);
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(data.buffer));
    const bytes = encodeModel({
      graph: {
        inputs: [],
        outputs: [{ name: 'y', dtype: 'float32', dims: [2] }],
        nodes: [{ opType: 'Neg', inputs: ['w'], outputs: ['y'] }],
        initializers: [
          { name: 'w', dtype: 'float32', dims: [2], external: { location: 'weights.bin', offset: 8 } },
        ],
      },
    });
    expect(readGraph(bytes).initializers[0]).toMatchObject({ name: 'w', dims: [2] });
    await writeFile(join(folder, 'model.onnx'), bytes);
    const session = await InferenceSession.create(join(folder, 'model.onnx'));
    const { y } = await session.run({});
    expect([...(y!.data as Float32Array)]).toEqual([-3, -4]);
    await session.release();
    await rm(folder, { recursive: true });
  });

  describe('rejects', () => {
    const withTensor = (tensor: OnnxTensor) => () =>
      encodeModel({
        graph: { inputs: [], outputs: [], nodes: [], initializers: [{ ...tensor, name: 'w' }] },
      });

    it('a payload that does not fit its dims', () => {
      const write = withTensor({ dtype: 'float32', dims: [2, 3], data: [1, 2] });
      expect(write).toThrow(OnnxModelError);
      expect(write).toThrow("Tensor 'w' has 8 bytes, but float32 [2,3] takes 24 bytes");
    });

    it('negative or fractional dims', () => {
      expect(withTensor({ dtype: 'float32', dims: [-1], data: [1] })).toThrow('dims [-1]');
    });

    it('a graph that contains itself', () => {
      const node = { opType: 'Loop', inputs: [], outputs: [], attributes: {} };
      const graph = { inputs: [], outputs: [], nodes: [node] };
      Object.assign(node.attributes, { body: { graph } });
      expect(() => encodeModel({ graph })).toThrow(OnnxModelError);
    });

    it('a shape without a type', () => {
      const write = () =>
        encodeModel({ graph: { inputs: [], outputs: [{ name: 'y', dims: [1] }], nodes: [] } });
      expect(write).toThrow("'y' has dims [1] but no dtype");
    });
  });
});
