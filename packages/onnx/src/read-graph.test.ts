// What was written is read back, weights are not read, and bytes that are not a model are rejected.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeModel,
  type OnnxAttribute,
  OnnxFormatError,
  type OnnxModel,
  readGraph,
  type ScannedGraph,
} from './index.js';

const model = {
  opset: 18,
  irVersion: 9,
  domains: { 'com.microsoft': 1 },
  graph: {
    name: 'tiny',
    inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 2] }],
    outputs: [{ name: 'y' }],
    nodes: [
      { opType: 'MatMul', name: 'project', inputs: ['x', 'w'], outputs: ['h'] },
      {
        opType: 'Op',
        domain: 'com.microsoft',
        inputs: ['h', ''],
        outputs: ['y'],
        attributes: {
          axis: { int: -1 },
          alpha: { float: 0.5 },
          mode: { string: 'linear' },
          perm: { ints: [1, 0] },
          scales: { floats: [1, 0.25] },
          names: { strings: ['a', 'b'] },
          value: { tensor: { name: 'c', dtype: 'int64', dims: [1], data: [3] } },
          body: { graph: { name: 'inner', inputs: [], outputs: [{ name: 'z' }], nodes: [] } },
        },
      },
    ],
    initializers: [{ name: 'w', dtype: 'float16', dims: [2, 1], data: new Uint16Array(2) }],
  },
} as const satisfies OnnxModel;

describe('readGraph', () => {
  it('reads back what encodeModel wrote', () => {
    expect(readGraph(encodeModel(model))).toEqual({
      name: 'tiny',
      irVersion: 9,
      opsets: { '': 18, 'com.microsoft': 1 },
      inputs: model.graph.inputs,
      outputs: [{ name: 'y' }],
      nodes: [
        { opType: 'MatMul', name: 'project', domain: '', inputs: ['x', 'w'], outputs: ['h'], attributes: {} },
        {
          opType: 'Op',
          name: '',
          domain: 'com.microsoft',
          inputs: ['h', ''],
          outputs: ['y'],
          attributes: {
            ...model.graph.nodes[1].attributes,
            value: { tensor: { name: 'c', dtype: 'int64', dims: [1] } },
            body: {
              graph: { name: 'inner', inputs: [], outputs: [{ name: 'z' }], nodes: [], initializers: [] },
            },
          },
        },
      ],
      initializers: [{ name: 'w', dtype: 'float16', dims: [2, 1] }],
    });
  });

  it('reads any graph it is given (property)', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    const int = fc.maxSafeInteger();
    const float = fc.float({ noNaN: true });
    const attribute: fc.Arbitrary<OnnxAttribute> = fc.oneof(
      fc.record({ int }),
      fc.record({ float }),
      fc.record({ string: fc.string({ unit: 'binary', maxLength: 60 }) }),
      fc.record({ ints: fc.array(int, { minLength: 1 }) }),
      fc.record({ floats: fc.array(float, { minLength: 1 }) }),
      fc.record({ strings: fc.array(name, { minLength: 1 }) }),
    );
    const node = fc.record({
      opType: name,
      name,
      domain: name,
      inputs: fc.array(name),
      outputs: fc.array(name),
      attributes: fc.dictionary(
        name.filter((key) => key !== '__proto__'),
        attribute,
        { noNullPrototype: true },
      ),
    });
    const dim = fc.oneof(fc.nat(), name);
    const value = fc.record({
      name,
      dtype: fc.constantFrom('float32', 'int64', 'bool'),
      dims: fc.array(dim),
    });
    const initializer = fc
      .record({ name, dims: fc.array(fc.nat(4), { maxLength: 3 }) })
      .map(({ name, dims }) => {
        const data = new Int32Array(dims.reduce((product, dim) => product * dim, 1));
        return { name, dtype: 'int32', dims, data } as const;
      });
    const graphs = fc.record({
      name,
      inputs: fc.array(value),
      outputs: fc.array(value),
      nodes: fc.array(node),
      initializers: fc.array(initializer),
    });
    fc.assert(
      fc.property(graphs, (graph) => {
        const initializers = graph.initializers.map(({ name, dtype, dims }) => ({ name, dtype, dims }));
        expect(readGraph(encodeModel({ graph } as OnnxModel))).toEqual({
          ...graph,
          initializers,
          irVersion: 8,
          opsets: { '': 17 },
        });
      }),
      { numRuns: 100 },
    );
  });

  it('reads packed integers, unknown element types, unnamed axes and external data', () => {
    const entry = (key: string, value: string) =>
      message((w) =>
        w.tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value),
      );
    const tensor = message((w) =>
      w
        .tag(1, WireType.LengthDelimited)
        .bytes(Uint8Array.of(2, 3))
        .tag(2, WireType.Varint)
        .int64(99)
        .tag(8, WireType.LengthDelimited)
        .string('w')
        .tag(13, WireType.LengthDelimited)
        .bytes(entry('location', 'model.onnx_data'))
        .tag(13, WireType.LengthDelimited)
        .bytes(entry('offset', '64')),
    );
    const shape = message((w) => w.tag(1, WireType.LengthDelimited).bytes(new Uint8Array()));
    const tensorType = message((w) => w.tag(2, WireType.LengthDelimited).bytes(shape));
    const type = message((w) => w.tag(1, WireType.LengthDelimited).bytes(tensorType));
    const value = message((w) =>
      w.tag(1, WireType.LengthDelimited).string('x').tag(2, WireType.LengthDelimited).bytes(type),
    );
    const graph = message((w) =>
      w.tag(5, WireType.LengthDelimited).bytes(tensor).tag(11, WireType.LengthDelimited).bytes(value),
    );
    const read = readGraph(message((w) => w.tag(7, WireType.LengthDelimited).bytes(graph)));
    expect(read.initializers).toEqual([{ name: 'w', dims: [2, 3], location: 'model.onnx_data' }]);
    expect(read.inputs).toEqual([{ name: 'x', dims: [''] }]);
  });

  it('does not visit the weights: 256 MB take no more work than a few nodes', () => {
    const data = new Float32Array(64 * 2 ** 20);
    const bytes = encodeModel({
      graph: {
        ...model.graph,
        initializers: [{ name: 'w', dtype: 'float32', dims: [data.length], data }],
      },
    });
    // CPU time rather than wall time, so that other work on the machine does not count. Reading every byte takes 250 ms.
    const before = process.cpuUsage();
    expect(readGraph(bytes).initializers[0]!.dims).toEqual([data.length]);
    expect(process.cpuUsage(before).user).toBeLessThan(100_000);
  });

  describe('rejects', () => {
    const bytes = encodeModel(model);

    it.each([
      ['nothing', new Uint8Array()],
      ['zeros', new Uint8Array(64)],
      [
        'text',
        new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
      ],
      ['a model without a graph', message((w) => w.tag(1, WireType.Varint).int64(8))],
      ['a length beyond the end', Uint8Array.of(0x3a, 0xff, 0x7f)],
      ['a varint that never ends', new Uint8Array(12).fill(0xff)],
    ])('%s', (_, input) => {
      expect(() => readGraph(input)).toThrow(OnnxFormatError);
    });

    it('graphs nested 20,000 deep, at once, and reads those nested 100 deep', () => {
      expect(() => readGraph(nestedGraphs(101))).toThrow(OnnxFormatError);
      let depth = 0;
      for (let graph: ScannedGraph | undefined = readGraph(nestedGraphs(100)); graph !== undefined; depth++) {
        graph = graph.nodes[0]?.attributes['']?.graph;
      }
      expect(depth).toBe(100);
      const deep = nestedGraphs(20_000);
      const before = process.cpuUsage();
      expect(() => readGraph(deep)).toThrow(OnnxFormatError);
      expect(process.cpuUsage(before).user).toBeLessThan(100_000);
    });

    it('a file cut short anywhere inside its graph', () => {
      const graphEnd = bytes.length - 30;
      for (let length = 0; length < graphEnd; length++) {
        expect(() => readGraph(bytes.subarray(0, length)), `at ${length}`).toThrow(OnnxFormatError);
      }
    });

    it('with an error that can be recognized without its class', () => {
      let error: unknown;
      try {
        readGraph(new Uint8Array());
      } catch (caught) {
        error = caught;
      }
      expect(error).toMatchObject({ name: 'OnnxFormatError', code: 'MMTOK_ONNX_FORMAT' });
      expect(Symbol.for('mmtok.error') in (error as Error)).toBe(true);
      expect(OnnxFormatError.isInstance(error)).toBe(true);
      expect(OnnxFormatError.isInstance(new Error('other'))).toBe(false);
    });

    it('random bytes with that error and no other (property)', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(bytes.length - 1), (noise, position) => {
          const broken = bytes.slice();
          broken.set(noise.subarray(0, broken.length - position), position);
          try {
            readGraph(broken);
          } catch (error) {
            expect(error).toBeInstanceOf(OnnxFormatError);
          }
        }),
        { numRuns: 300 },
      );
    });
  });
});

function message(write: (writer: BinaryWriter) => unknown): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A model with graphs nested in attributes of nodes, as many as given. */
function nestedGraphs(depth: number): Uint8Array {
  // From the inside out: each message is a head before its content, and only the heads are kept.
  const heads: Uint8Array[] = [];
  let size = 0;
  const wrap = (field: number): void => {
    const head = message((w) => w.tag(field, WireType.LengthDelimited).uint32(size));
    heads.push(head);
    size += head.length;
  };
  for (let graph = 1; graph < depth; graph++) for (const field of [6, 5, 1]) wrap(field);
  wrap(7);
  return Buffer.concat(heads.reverse());
}
