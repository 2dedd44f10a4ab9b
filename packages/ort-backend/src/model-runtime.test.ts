// ONNX Runtime from a loaded model: the same copy, on the right device, one call at a time where necessary.
import { createRequire } from 'node:module';
import { InvalidOptionsError, MmtokError } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { loadTinyVlm, type TinyVlm } from '@mmtok/tiny-vlm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOrtBackend, type LoadedModel, type OrtModule, runtimeOfModel } from './index.js';

const require = createRequire(import.meta.url);
const transformers = createRequire(require.resolve('@huggingface/transformers'));
const node = transformers('onnxruntime-node') as OrtModule;
const web = transformers('onnxruntime-web') as OrtModule & { env: { wasm: { numThreads: number } } };
web.env.wasm.numThreads = 1;

const twice = defineProgram({
  name: 'twice',
  inputs: { x: { dims: ['n'] } },
  outputs: { y: { dims: ['n'] } },
  build: (ops, { x }) => ({ y: ops.add(x, x) }),
});
const x = float32(Float32Array.of(3), [1]);

let vlm: TinyVlm;
beforeAll(async () => {
  vlm = await loadTinyVlm({ size: 'small', dtype: 'fp16' });
});
afterAll(() => vlm.model.dispose());
afterEach(() => void vi.unstubAllGlobals());

/** transformers.js, and so this package, detects Node by the name of the release; WebAssembly needs the rest of `process`. */
function pretendBrowser(): void {
  vi.stubGlobal('process', Object.create(process, { release: { value: { name: 'other' } } }));
}

/** A model whose sessions are of the web build, as in a browser, noted to run on `device`. */
async function webModel(device?: string): Promise<LoadedModel> {
  const { InferenceSession } = web as unknown as { InferenceSession: { prototype: object } };
  const session = Object.assign(Object.create(InferenceSession.prototype), { config: { device } });
  return { sessions: { vision_encoder: session } };
}

describe('in Node', () => {
  it('is the copy that transformers.js runs the model on', async () => {
    const { ort, devices } = await runtimeOfModel(vlm.model);
    expect(ort.InferenceSession).toBe(node.InferenceSession);
    expect(ort.Tensor).toBe(node.Tensor);
    expect(devices).toEqual(['cpu']);
  });

  it('opens only sessions whose threads do not keep spinning after a run', async () => {
    const opened: unknown[] = [];
    /** A class of sessions that is not known yet. */
    class Session {
      static create(...[model, options]: Parameters<OrtModule['InferenceSession']['create']>) {
        opened.push(options?.extra);
        return node.InferenceSession.create(model, options);
      }
      run(): void {}
    }
    const model: LoadedModel = { sessions: { vision_encoder: new Session() } };
    const backend = await createOrtBackend({ model });
    await backend.run(twice, { x });
    await backend.dispose();
    const never = { session: { intra_op: { allow_spinning: '0' } } };
    const briefly = {
      session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1', spin_duration_us: '100' } },
    };
    expect(opened).toEqual([never, briefly, briefly]);
  });

  it('runs programs', async () => {
    const backend = await createOrtBackend({ model: vlm.model });
    expect(backend.device).toBe('cpu');
    expect((await backend.run(twice, { x })).y.data).toEqual(Float32Array.of(6));
    await backend.dispose();
  });

  it('is found even if some sessions are replaced', async () => {
    const { vision_encoder, ...others } = vlm.model.sessions as Record<string, { run: unknown }>;
    const stand = { inputNames: [], outputNames: [], run: vision_encoder?.run };
    const { ort } = await runtimeOfModel({ sessions: { vision_encoder: stand, ...others } });
    expect(ort.InferenceSession).toBe(node.InferenceSession);
  });

  it.each([[{}], [{ vision_encoder: { run: () => {} } }], [{ vision_encoder: null }]])(
    'there is none in a model with the sessions %j',
    async (sessions) => {
      const error = await createOrtBackend({ model: { sessions } }).catch((cause: unknown) => cause);
      expect(MmtokError.isInstance(error, 'MMTOK_BACKEND_UNAVAILABLE')).toBe(true);
    },
  );

  it.each([
    [{ model: null }],
    [{ model: {} }],
    [{ model: { sessions: {} }, ort: node }],
    [{ runExclusive: 1 }],
  ])('rejects the options %#', async (options) => {
    await expect(createOrtBackend(options as never)).rejects.toBeInstanceOf(InvalidOptionsError);
  });
});

describe('the web build', () => {
  it.each([undefined, 'wasm', 'cpu', 'auto', 'webnn-gpu'])(
    'is called wasm in a browser where the model runs on %s',
    async (device) => {
      pretendBrowser();
      const { ort, devices } = await runtimeOfModel(await webModel(device));
      expect(ort.Tensor).toBe(web.Tensor);
      expect(devices).toEqual(['wasm']);
    },
  );

  it('is called webgpu where the model runs on that, and wasm is tried next', async () => {
    pretendBrowser();
    expect((await runtimeOfModel(await webModel('webgpu'))).devices).toEqual(['webgpu', 'wasm']);
  });

  it.each([{}, { device: 'cpu' }, { device: 'wasm' }] as const)(
    'is called wasm when passed with %j',
    async (options) => {
      const backend = await createOrtBackend({ ort: web, ...options });
      expect(backend.device).toBe('wasm');
      expect((await backend.run(twice, { x })).y.data).toEqual(Float32Array.of(6));
      await backend.dispose();
    },
  );
});

describe('work on sessions', () => {
  /** onnxruntime-node, with the highest number of simultaneous calls. */
  function watched(versions: object): { ort: OrtModule; most: () => number } {
    let [now, most] = [0, 0];
    const watch = async <T>(work: Promise<T>): Promise<T> => {
      most = Math.max(most, ++now);
      return work.finally(() => now--);
    };
    const create: OrtModule['InferenceSession']['create'] = async (model, options) => {
      const session = await watch(
        node.InferenceSession.create(model, { ...options, executionProviders: ['cpu'] }),
      );
      return { run: (...given) => watch(session.run(...given)), release: () => session.release() };
    };
    const ort = { Tensor: node.Tensor, InferenceSession: { create }, env: { versions } };
    return { ort, most: () => most };
  }
  const work = async (options: Parameters<typeof createOrtBackend>[0]): Promise<void> => {
    const backends = await Promise.all([createOrtBackend(options), createOrtBackend(options)]);
    await Promise.all(backends.flatMap((each) => [each.run(twice, { x }), each.run(twice, { x })]));
    await Promise.all(backends.map((each) => each.dispose()));
  };

  it.each(['wasm', 'webgpu'] as const)('waits its turn on %s, even after a failure', async (device) => {
    const { ort, most } = watched({ web: '1' });
    const failing = vi.spyOn(ort.InferenceSession, 'create').mockRejectedValueOnce(new Error('lost'));
    await expect(createOrtBackend({ ort, device })).rejects.toThrow('lost');
    failing.mockRestore();
    await work({ ort, device });
    expect(most()).toBe(1);
  });

  it('does not wait on the CPU', async () => {
    const { ort, most } = watched({ node: '1' });
    await work({ ort });
    expect(most()).toBeGreaterThan(1);
  });

  it('uses the queue that the caller passes', async () => {
    const { ort, most } = watched({ node: '1' });
    let last: Promise<unknown> = Promise.resolve();
    let calls = 0;
    const runExclusive = <T>(run: () => Promise<T>): Promise<T> => {
      calls++;
      const result = last.then(run);
      last = result.catch(() => {});
      return result;
    };
    await work({ ort, runExclusive });
    expect(most()).toBe(1);
    expect(calls).toBeGreaterThan(6);
  });
});
