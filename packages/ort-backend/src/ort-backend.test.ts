// The ORT backend: the conformance suite on the CPU (and a device of the tester's choice), compilation, devices, sharing.
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  BackendUnavailableError,
  DisposedError,
  defineCoverage,
  InvalidOptionsError,
  MmtokError,
  selectTokens,
} from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { describeBackend, officialInputs, officialSelections, syntheticFeatures } from '@mmtok/core/testing';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createOrtBackend, type OrtDevice, type OrtModule } from './index.js';
import { loadDefaultOnnxRuntime } from './load-onnxruntime-node.js';
import { loadDefaultOnnxRuntime as loadOutsideNode } from './no-onnxruntime.js';

const require = createRequire(import.meta.url);
const ort = loadDefaultOnnxRuntime();

describeBackend({ name: 'ort on cpu', create: () => createOrtBackend() });

const device = process.env.MMTOK_TEST_DEVICE as OrtDevice | undefined;
/** Kernels that reject tensors without any numbers, which no selection has: seen on ONNX Runtime 1.30. */
const rejectsEmpty = 'this provider rejects empty tensors';
const expectedFailures: Partial<Record<OrtDevice, Readonly<Record<string, string>>>> = {
  cuda: { 'sum over columns': rejectsEmpty },
  webgpu: {
    'softmax over rows': rejectsEmpty,
    'softmax over columns': rejectsEmpty,
    'max over rows': rejectsEmpty,
  },
};
describeBackend({
  name: `ort on ${device ?? 'another device'}`,
  create: () => createOrtBackend({ device: device ?? 'cpu' }),
  ...(device && expectedFailures[device] && { expectedFailures: expectedFailures[device] }),
  skip: device === undefined && 'set MMTOK_TEST_DEVICE to cuda, webgpu, … to test it',
});

/** The module with every created session counted. */
function counting(): { module: OrtModule; created: () => number } {
  const create = vi.fn((model: Uint8Array, options?: Readonly<Record<string, unknown>>) =>
    ort.InferenceSession.create(model, options),
  );
  return {
    module: { ...ort, Tensor: ort.Tensor, InferenceSession: { create } },
    created: () => create.mock.calls.length,
  };
}

describe('compilation', () => {
  it('compiles a program once for all sizes, and once more for half-precision inputs', async () => {
    const { module, created } = counting();
    const backend = await createOrtBackend({ ort: module });
    const probes = created();
    const twice = defineProgram({
      name: 'twice',
      inputs: { x: { dims: ['n', 'd'] } },
      outputs: { y: { dims: ['n', 'd'] } },
      build: (ops, { x }) => ({ y: ops.add(x, x) }),
    });
    for (const n of [1, 5, 3]) {
      const { y } = await backend.run(twice, { x: float32(new Float32Array(n * 2).fill(n), [n, 2]) });
      expect(Array.from(y.data)).toEqual(new Array(n * 2).fill(2 * n));
    }
    expect(created() - probes).toBe(1);
    const half = { type: 'float16', data: Uint16Array.of(0x3c00), dims: [1, 1] } as const;
    expect(Array.from((await backend.run(twice, { x: half })).y.data)).toEqual([2]);
    expect(created() - probes).toBe(2);
    await backend.dispose();
  });

  it('does not recompile for another question, temperature or budget, or an image of about the same size', async () => {
    const { module, created } = counting();
    const backend = await createOrtBackend({ ort: module });
    const select = async (i: number): Promise<void> => {
      const official = officialSelections[i] as (typeof officialSelections)[number];
      await selectTokens({ backend, ...officialInputs(official), budget: { tokens: official.budget } });
    };
    await select(0);
    const after = created();
    for (const i of [2, 5]) await select(i);
    expect(created()).toBe(after);
    await selectTokens({
      backend,
      vision: syntheticFeatures({
        height: 24,
        width: 24,
        dim: 8,
        clusters: 4,
        noise: 0.5,
        common: 0.7,
        seed: 1,
      }),
      text: float32(new Float32Array(8).fill(1), [1, 8]),
      budget: { tokens: 8 },
    });
    // The product of a matrix with itself is split into more blocks; the text term has none.
    expect(created()).toBe(after + 1);
    await backend.dispose();
  });

  const program = () =>
    defineProgram({
      name: 'twice',
      inputs: { x: { dims: ['n', 'd'] } },
      outputs: { y: { dims: ['n', 'd'] } },
      build: (ops, { x }) => ({ y: ops.add(x, x) }),
    });
  const x = float32(Float32Array.of(3), [1, 1]);

  it('is tried again after it has failed', async () => {
    const { module } = counting();
    const backend = await createOrtBackend({ ort: module });
    vi.mocked(module.InferenceSession.create).mockRejectedValueOnce(new Error('out of memory'));
    const twice = program();
    await expect(backend.run(twice, { x })).rejects.toThrow('out of memory');
    expect((await backend.run(twice, { x })).y.data).toEqual(Float32Array.of(6));
    await backend.dispose();
  });

  it('is released with the program', async () => {
    const released = vi.fn();
    const create: OrtModule['InferenceSession']['create'] = async (model, options) => {
      const session = await ort.InferenceSession.create(model, options);
      return {
        run: (feeds, fetches) => session.run(feeds, fetches),
        release: async () => {
          released();
          await session.release();
        },
      };
    };
    const backend = await createOrtBackend({
      ort: { ...ort, Tensor: ort.Tensor, InferenceSession: { create } },
    });
    const kept = program();
    await backend.run(kept, { x });
    released.mockClear();
    for (let i = 0; i < 3; i++) await backend.run(program(), { x });
    setFlagsFromString('--expose-gc');
    await vi.waitFor(
      () => {
        (runInNewContext('gc') as () => void)();
        expect(released).toHaveBeenCalledTimes(3);
      },
      { timeout: 120_000 },
    );
    expect((await backend.run(kept, { x })).y.data).toEqual(Float32Array.of(6));
    await backend.dispose();
    expect(released).toHaveBeenCalledTimes(4);
  });

  it('reports a disposed backend if it was disposed first', async () => {
    const backend = await createOrtBackend();
    const failing = expect(backend.run(program(), { x })).rejects.toThrow(DisposedError);
    await backend.dispose();
    await failing;
  });

  it('writes into given memory, and frees the copy that onnxruntime-node returns', async () => {
    const returned: Float32Array[] = [];
    const create: OrtModule['InferenceSession']['create'] = async (model, options) => {
      const session = await ort.InferenceSession.create(model, options);
      return {
        run: async (feeds, fetches) => {
          const outputs = await session.run(feeds, fetches);
          returned.push(...Object.values(outputs).map(({ data }) => data as Float32Array));
          return outputs;
        },
        release: () => session.release(),
      };
    };
    const module = { ...ort, Tensor: ort.Tensor, InferenceSession: { create } };
    const backend = await createOrtBackend({ ort: module });
    returned.length = 0;
    const n = 2 ** 17;
    const memory = new Float32Array(n);
    const input = float32(new Float32Array(n).fill(3), [n, 1]);
    const { y } = await backend.run(program(), { x: input }, { into: { y: memory } });
    expect(y.data).toBe(memory);
    expect([memory[0], memory.at(-1)]).toEqual([6, 6]);
    expect(returned.map(({ length }) => length)).toEqual([0]);
    await backend.dispose();
  });

  it('rejects memory that does not have the size of the output', async () => {
    const backend = await createOrtBackend();
    const act = backend.run(program(), { x }, { into: { y: new Float32Array(2) } });
    await expect(act).rejects.toThrow("expected memory for 1 numbers (shape [1, 1]) in 'into', got 2");
    await backend.dispose();
  });

  it('rethrows the typed error of a program that cannot be built', async () => {
    const backend = await createOrtBackend();
    const vision = { data: new Float32Array(8).fill(1), dims: [4, 2] };
    const term = defineCoverage({
      name: 'mine',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'n',
      build: (() => ({})) as never,
    });
    const act = selectTokens({ backend, vision, coverage: [term()], budget: { tokens: 2 } });
    await expect(act).rejects.toMatchObject({ code: 'MMTOK_INVALID_OPTIONS' });
    await backend.dispose();
  });

  it('says which program failed, with ONNX Runtime’s error as the cause', async () => {
    const backend = await createOrtBackend();
    const wrong = defineProgram({
      name: 'wrong product',
      inputs: { x: { dims: ['n', 'd'] } },
      outputs: { y: { dims: ['n', 'n'] } },
      build: (ops, { x }) => ({ y: ops.matMul(x, x) }),
    });
    const run = backend.run(wrong, { x: float32(new Float32Array(6), [2, 3]) });
    await expect(run).rejects.toThrow("Backend 'ort' failed on the program 'wrong product'");
    await expect(run).rejects.toMatchObject({ code: 'MMTOK_BACKEND_RUN', cause: expect.anything() });
    await backend.dispose();
  });
});

describe('devices', () => {
  // DirectML exists on Windows and Core ML on macOS, so that one of them is missing everywhere.
  const missing: OrtDevice = process.platform === 'win32' ? 'coreml' : 'dml';

  it('a missing device is rejected, with a hint on how to get it', async () => {
    const act = createOrtBackend({ device: missing });
    await expect(act).rejects.toBeInstanceOf(BackendUnavailableError);
    await expect(act).rejects.toThrow(missing === 'dml' ? 'Windows only' : 'macOS only');
  });

  it('of several devices the first that works is used and reported', async () => {
    const backend = await createOrtBackend({ device: [missing, 'cpu'] });
    expect(backend.device).toBe('cpu');
    await backend.dispose();
  });

  it.each([
    ['cuda', undefined, '0'],
    ['cuda', '1', '1'],
    ['cpu', undefined, undefined],
  ] as const)('%s with TF32 override %s: leaves it at %s', async (wanted, before, after) => {
    vi.stubEnv('NVIDIA_TF32_OVERRIDE', before);
    const create = vi.fn(() => Promise.reject(new Error('no such provider')));
    await expect(
      createOrtBackend({ ort: { Tensor: ort.Tensor, InferenceSession: { create } }, device: wanted }),
    ).rejects.toThrow('no such provider');
    expect(process.env.NVIDIA_TF32_OVERRIDE).toBe(after);
    vi.unstubAllEnvs();
  });

  it('a device that computes wrong results is rejected', async () => {
    const module: OrtModule = {
      Tensor: ort.Tensor,
      InferenceSession: {
        create: async () => ({
          run: async () => ({ y: new ort.Tensor('float32', Float32Array.of(24), [1, 1]) }),
          release: async () => {},
        }),
      },
    };
    await expect(createOrtBackend({ ort: module })).rejects.toThrow('cpu computed 3² + 4² = 24');
  });

  it.each([[{ device: 'gpu' }], [{ device: [] }], [{ ort: {} }], [{ threads: 2 }]])(
    'rejects the options %j',
    async (options) => {
      await expect(createOrtBackend(options as never)).rejects.toBeInstanceOf(InvalidOptionsError);
    },
  );

  it('names the devices, and the one that was given', async () => {
    await expect(createOrtBackend({ device: 'gpu' as never })).rejects.toThrow(
      /device: expected cpu, .*webgpu.*, or a list of these, got 'gpu'/,
    );
  });
});

describe('the engine', () => {
  it('is the instance that transformers.js loads', async () => {
    await import('@huggingface/transformers');
    const transformers = createRequire(require.resolve('@huggingface/transformers'));
    expect(loadDefaultOnnxRuntime()).toBe(transformers('onnxruntime-node'));
  });

  it('can be passed in: the web build selects the same tokens', async () => {
    const transformers = createRequire(require.resolve('@huggingface/transformers'));
    const web = transformers('onnxruntime-web') as OrtModule & { env: { wasm: { numThreads: number } } };
    web.env.wasm.numThreads = 1;
    const backend = await createOrtBackend({ ort: web, device: 'wasm' });
    const official = officialSelections[2] as (typeof officialSelections)[number];
    const { indices } = await selectTokens({
      backend,
      ...officialInputs(official),
      budget: { tokens: official.budget },
    });
    expect(indices).toEqual(official.officialIndices);
    await backend.dispose();
  });
});

describe('without an engine', () => {
  afterAll(() => {
    vi.doUnmock('./load-onnxruntime-node.js');
    vi.resetModules();
  });

  it('outside Node, asks for the web build', () => {
    expect(loadOutsideNode).toThrow(BackendUnavailableError);
    expect(loadOutsideNode).toThrow("import('onnxruntime-web')");
  });

  it('says how to install one', async () => {
    vi.resetModules();
    vi.doMock('node:module', () => ({
      createRequire: () =>
        Object.assign(() => {}, {
          cache: {},
          resolve: () => {
            throw new Error('Cannot find module');
          },
        }),
    }));
    const { createOrtBackend: create } = await import('./ort-backend.js');
    const error = await create().catch((cause: unknown) => cause);
    vi.doUnmock('node:module');
    expect(MmtokError.isInstance(error, 'MMTOK_BACKEND_UNAVAILABLE')).toBe(true);
    expect((error as Error).message).toContain('npm install onnxruntime-node');
  });
});
