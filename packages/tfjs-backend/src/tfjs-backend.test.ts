import { createRequire } from 'node:module';
import { InvalidOptionsError, InvalidTensorError, MmtokError, UnsupportedOpError } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import * as tfjs from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Tfjs } from './tfjs.js';
import { createTfjsBackend } from './tfjs-backend.js';

/** The compiler checks here that the interfaces of tfjs.ts match the real module. */
const tf: Tfjs = tfjs;

const double = defineProgram({
  name: 'double',
  inputs: { x: { dims: ['n', 'd'] } },
  outputs: { y: { dims: ['n', 'd'] } },
  build: (ops, { x }) => ({ y: ops.add(x, x) }),
});
const x = float32(Float32Array.of(1, 2), [1, 2]);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('createTfjsBackend', () => {
  it('is silent on the plain engine, which otherwise prints an advertisement', async () => {
    const methods = ['log', 'info', 'warn', 'error'] as const;
    const spies = methods.map((method) => vi.spyOn(console, method).mockImplementation(() => {}));
    const backend = await createTfjsBackend({ module: '@tensorflow/tfjs' });
    await backend.run(double, { x });
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    expect(tf.env().get('IS_NODE')).toBe(true);
  });

  it('reports its engine and device', async () => {
    const backend = await createTfjsBackend({ module: '@tensorflow/tfjs', tfBackend: 'cpu' });
    expect(backend).toMatchObject({
      name: 'tfjs',
      device: 'cpu',
      precision: 1e-5,
      engine: { module: '@tensorflow/tfjs', version: expect.stringMatching(/^4\./) },
    });
  });

  it('fails for a backend the module does not have, and says which it may be', async () => {
    const creating = createTfjsBackend({ tf, tfBackend: 'tpu' });
    await expect(creating).rejects.toThrow(
      /has no working backend 'tpu'.*'wasm' needs @tensorflow\/tfjs-backend-wasm/,
    );
    await expect(creating).rejects.toSatisfy((error) =>
      MmtokError.isInstance(error, 'MMTOK_BACKEND_UNAVAILABLE'),
    );
    expect(tf.getBackend()).toBe('cpu');
  });

  it('rejects options of the wrong form', async () => {
    await expect(createTfjsBackend({ tf, module: '@tensorflow/tfjs' })).rejects.toThrow(/not both/);
    await expect(createTfjsBackend({ tf: {} as Tfjs })).rejects.toThrow(/expected a TensorFlow.js module/);
    await expect(createTfjsBackend({ backend: 'cpu' } as never)).rejects.toThrow(InvalidOptionsError);
  });
});

describe('a backend on a module passed in', () => {
  beforeAll(() => {
    createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm');
  });

  // This test is first because it needs backends that are not ready yet.
  it('can be created several times at once, and while another runs', async () => {
    const make = (tfBackend: string) => createTfjsBackend({ tf, tfBackend });
    const running = await make('cpu');
    const [first, second, { y }] = await Promise.all([
      make('wasm'),
      make('wasm'),
      running.run(double, { x }),
      make('cpu'),
    ]);
    expect([first.device, second.device]).toEqual(['wasm', 'wasm']);
    expect(y.data).toEqual(Float32Array.of(2, 4));
  });

  it('runs on the active backend, and follows the owner when it switches', async () => {
    await tf.setBackend('cpu');
    const backend = await createTfjsBackend({ tf });
    expect(backend.engine.module).toBe('given');
    expect(backend.device).toBe('cpu');
    await tf.setBackend('wasm');
    const setBackend = vi.spyOn(tfjs.engine(), 'setBackend');
    await backend.run(double, { x });
    expect(backend.device).toBe('wasm');
    const maxima = defineProgram({
      ...double,
      build: (ops, { x }) => ({ y: ops.maximum(ops.scalar(0), x) }),
    });
    const nan = float32(Float32Array.of(Number.NaN, 1), [1, 2]);
    expect([...(await backend.run(maxima, { x: nan })).y.data]).toEqual([Number.NaN, 1]);
    expect(setBackend).not.toHaveBeenCalled();
    await tf.setBackend('cpu');
  });

  it('with a tfBackend named, computes there and leaves the active one as it was', async () => {
    await tf.setBackend('cpu');
    const backend = await createTfjsBackend({ tf, tfBackend: 'wasm' });
    expect([backend.device, tf.getBackend()]).toEqual(['wasm', 'cpu']);
    let during = '';
    const spying = defineProgram({
      ...double,
      build: (ops, { x }) => {
        during = tf.getBackend();
        return { y: ops.add(x, x) };
      },
    });
    expect([...(await backend.run(spying, { x })).y.data]).toEqual([2, 4]);
    expect([during, tf.getBackend()]).toEqual(['wasm', 'cpu']);
    await expect(
      backend.run(defineProgram({ ...double, build: (ops, { x }) => ({ y: ops.matMul(x, x) }) }), { x }),
    ).rejects.toThrow();
    expect(tf.getBackend()).toBe('cpu');
  });
});

describe('run', () => {
  it('writes into the given memory, and rejects memory of the wrong size', async () => {
    const backend = await createTfjsBackend({ tf });
    const y = new Float32Array(2);
    expect((await backend.run(double, { x }, { into: { y } })).y.data).toBe(y);
    expect([...y]).toEqual([2, 4]);
    const wrong = backend.run(double, { x }, { into: { y: new Float32Array(3) } });
    await expect(wrong).rejects.toThrow(InvalidTensorError);
    await expect(wrong).rejects.toThrow(/'double\.y'.*memory for 2 numbers.*got 3/);
  });

  it('widens half-precision inputs', async () => {
    const backend = await createTfjsBackend({ tf });
    const half = { type: 'float16', data: Uint16Array.of(0x3c00, 0xc000), dims: [1, 2] } as const;
    expect([...(await backend.run(double, { x: half })).y.data]).toEqual([2, -4]);
  });

  it('reports a kernel the engine lacks as an unsupported operation', async () => {
    const lacking: Tfjs = {
      ...tf,
      exp: () => {
        throw new Error("Kernel 'Exp' not registered for backend 'webgpu'");
      },
    };
    const backend = await createTfjsBackend({ tf: lacking });
    const program = defineProgram({ ...double, build: (ops, { x }) => ({ y: ops.exp(x) }) });
    const running = backend.run(program, { x });
    await expect(running).rejects.toThrow(UnsupportedOpError);
    await expect(running).rejects.toThrow(/'Exp' \(on 'webgpu', in program 'double'\)/);
  });

  it('states half precision as 1e-3', async () => {
    const half: Tfjs = { ...tf, backend: () => ({ floatPrecision: () => 16 }) };
    expect((await createTfjsBackend({ tf: half })).precision).toBe(1e-3);
  });

  it('recognizes a GPU behind the native backend, and its reduced precision', async () => {
    const native = (): Tfjs => ({
      ...tf,
      getBackend: () => 'tensorflow',
      backend: () => ({ floatPrecision: () => 32, isUsingGpuDevice: true }),
    });
    const before = process.env.NVIDIA_TF32_OVERRIDE;
    try {
      delete process.env.NVIDIA_TF32_OVERRIDE;
      expect(await createTfjsBackend({ tf: native() })).toMatchObject({
        device: 'tensorflow-gpu',
        precision: 1e-3,
      });
      process.env.NVIDIA_TF32_OVERRIDE = '0';
      expect(await createTfjsBackend({ tf: native() })).toMatchObject({
        device: 'tensorflow-gpu',
        precision: 1e-5,
      });
    } finally {
      if (before === undefined) delete process.env.NVIDIA_TF32_OVERRIDE;
      else process.env.NVIDIA_TF32_OVERRIDE = before;
    }
  });
});
