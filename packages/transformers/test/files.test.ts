// Model files: graphs that challenge the search for the projector, external weights, caches, and browsers.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from '@huggingface/transformers';
import {
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  readGraph,
  type ScannedGraph,
} from '@mmtok/onnx';
import * as ort from 'onnxruntime-node';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { platform as browser } from '../src/files/browser.js';
import { findProjectorInput } from '../src/files/find-projector-input.js';
import { type LibraryEnv, readModelFile } from '../src/files/model-files.js';
import { platform as node } from '../src/files/node.js';
import { loadVlm, type TapOptions, tapVisionEncoder, VisionFeaturesError } from '../src/index.js';
import { tappedOutputs } from '../src/internal/tapped-sessions.js';
import { buildTinyModel } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'files-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('#files');
  vi.resetModules();
});

const node_ = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({ opType, inputs, outputs, attributes });

/** A convolution from `[1, 1, 2, 2]` pixels to `[1, 3, 2, 2]`, reshaped to `[3, 4]`, which a layer reads transposed. */
function encoder(
  projector: 'Gemm with transA' | 'MatMul',
  kernel: Pick<OnnxTensor & { external: object }, 'external'> | { readonly data: readonly number[] } = {
    data: [1, 2, 3],
  },
): Uint8Array {
  const isGemm = projector !== 'MatMul';
  const columns = ['patches', 'shape'];
  const nodes: OnnxNode[] = [
    node_('Conv', ['pixel_values', 'kernel'], ['patches']),
    ...(isGemm
      ? [
          node_('Reshape', columns, ['columns']),
          node_('Gemm', ['columns', 'weight'], ['image_features'], { transA: { int: 1 } }),
        ]
      : [
          node_('Reshape', columns, ['columns']),
          node_('Transpose', ['columns'], ['rows'], { perm: { ints: [1, 0] } }),
          node_('MatMul', ['rows', 'weight'], ['image_features']),
        ]),
  ];
  const model: OnnxModel = {
    graph: {
      name: 'encoder',
      nodes,
      inputs: [{ name: 'pixel_values', dtype: 'float32', dims: [1, 1, 2, 2] }],
      outputs: [{ name: 'image_features' }],
      initializers: [
        { name: 'kernel', dtype: 'float32', dims: [3, 1, 1, 1], ...kernel } as OnnxTensor & { name: string },
        { name: 'shape', dtype: 'int64', dims: [2], data: [3, 4] },
        { name: 'weight', dtype: 'float32', dims: [3, 2], data: [1, 0, 0, 1, 1, 1] },
      ],
    },
  };
  return encodeModel(model);
}

/** The tapped features of four pixels. */
async function tapped(
  original: Uint8Array,
  options: Partial<TapOptions> & Pick<TapOptions, 'file'>,
  opened: Record<string, unknown> = {},
): Promise<unknown> {
  const session = await ort.InferenceSession.create(original, opened);
  const model = { sessions: { vision_encoder: session } };
  await tapVisionEncoder(model as never, options);
  const pixels = new Tensor('float32', Float32Array.from([1, 2, 3, 4]), [1, 1, 2, 2]);
  const { image_features, ...others } = await model.sessions.vision_encoder.run({
    pixel_values: pixels.ort_tensor as never,
  });
  expect(image_features?.dims).toEqual([4, 2]);
  const wrapped = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [name, new Tensor(value as never)]),
  );
  const [features] = Object.values(tappedOutputs(model.sessions.vision_encoder as never, wrapped as never));
  return (features as unknown as Tensor).tolist();
}

/** Each pixel times the kernel. */
const ROWS = [1, 2, 3, 4].map((pixel) => [pixel, 2 * pixel, 3 * pixel]);

describe('the tap', () => {
  it.each(['Gemm with transA', 'MatMul'] as const)('gives a row per token before a %s', async (kind) => {
    const file = encoder(kind);
    expect(await tapped(file, { file })).toEqual(ROWS);
    const tensor = kind === 'MatMul' ? 'rows' : 'columns';
    expect(await tapped(file, { file, tensor })).toEqual(ROWS);
  });

  it('finds weights next to the file, and names missing ones', async () => {
    const file = encoder('MatMul', { external: { location: 'kernel.bin', offset: 0 } });
    const weights = new Uint8Array(Float32Array.from([1, 2, 3]).buffer);
    const path = join(directory, 'vision_encoder.onnx');
    await writeFile(path, file);
    await writeFile(join(directory, 'kernel.bin'), weights);
    const opened = { externalData: [{ path: 'kernel.bin', data: weights }] };
    expect(await tapped(file, { file: path }, opened)).toEqual(ROWS);
    expect(await tapped(file, { file, sessionOptions: opened }, opened)).toEqual(ROWS);
    const without = tapped(file, { file }, opened);
    await expect(without).rejects.toBeInstanceOf(VisionFeaturesError);
    await expect(without).rejects.toThrow(/'kernel\.bin'.*externalData/);
  });

  it.each(['../kernel.bin', '/etc/kernel.bin', 'a/kernel.bin', 'https://host/kernel.bin', '..'])(
    'reads no weights from %s',
    async (location) => {
      const session = await ort.InferenceSession.create(encoder('MatMul'));
      const file = encoder('MatMul', { external: { location, offset: 0 } });
      const asked = tapVisionEncoder({ sessions: { vision_encoder: session } } as never, { file });
      await expect(asked).rejects.toThrow(/same folder/);
    },
  );
});

describe('the search for the projector', () => {
  const graphOf = (nodes: readonly OnnxNode[]): ScannedGraph =>
    readGraph(encodeModel({ graph: { name: 'hostile', nodes, inputs: [], outputs: [], initializers: [] } }));
  const searched = (nodes: readonly OnnxNode[]): unknown =>
    findProjectorInput(graphOf(nodes), 'image_features');

  it.each<[string, readonly OnnxNode[]]>([
    ['one node', [node_('Relu', ['image_features'], ['image_features'])]],
    ['two nodes', [node_('Relu', ['b'], ['image_features']), node_('Relu', ['image_features'], ['b'])]],
    [
      'two paths',
      [
        node_('Add', ['p', 'q'], ['image_features']),
        node_('Relu', ['image_features'], ['p']),
        node_('Relu', ['image_features'], ['q']),
      ],
    ],
    [
      'paths that never meet',
      [
        node_('Add', ['p', 'q'], ['image_features']),
        node_('Relu', ['p'], ['p']),
        node_('Relu', ['q'], ['q']),
      ],
    ],
  ])('ends on a cycle of %s', (_, nodes) => {
    expect(searched(nodes)).toBeUndefined();
  });

  it('stops early on adversarial graphs', () => {
    // Each of many nodes adds one more path, so that the paths never become one.
    const nodes = Array.from({ length: 20_000 }, (_, at) =>
      node_('Concat', [`t${at}`, `x${at}`], [at === 19_999 ? 'image_features' : `t${at + 1}`]),
    );
    let reads = 0;
    const graph = graphOf(nodes);
    const counted = graph.nodes.map((node) => ({
      ...node,
      get inputs() {
        reads++;
        return node.inputs;
      },
    }));
    expect(findProjectorInput({ ...graph, nodes: counted }, 'image_features')).toBeUndefined();
    // Reading the graph takes two reads per node. A complete search would take at least one more.
    expect(reads).toBeLessThan(2.5 * nodes.length);
  });
});

describe('files of a loaded model', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const env: LibraryEnv = {
    localModelPath: '/models/',
    remoteHost: 'https://hub.example/',
    remotePathTemplate: '{model}/resolve/{revision}/',
    allowLocalModels: true,
    allowRemoteModels: true,
  };
  const place = { source: 'owner/name' };
  const file = 'onnx/vision_encoder.onnx';

  it('come from the cache of transformers.js, by revision', async () => {
    const cacheDir = join(directory, 'cache');
    const { mkdir } = await import('node:fs/promises');
    for (const revision of ['', 'v2/']) {
      await mkdir(join(cacheDir, `owner/name/${revision}onnx`), { recursive: true });
      await writeFile(join(cacheDir, `owner/name/${revision}${file}`), `weights ${revision}`);
    }
    const read = async (more: object): Promise<string> => {
      const found = await readModelFile(env, { ...place, cacheDir, ...more }, file);
      return `${new TextDecoder().decode(found.bytes)}, ${found.folder?.slice(cacheDir.length)}`;
    };
    expect(await read({})).toBe('weights , /owner/name/onnx');
    expect(await read({ revision: 'v2' })).toBe('weights v2/, /owner/name/v2/onnx');
    await expect(read({ revision: 'v3' })).rejects.toThrow(/owner\/name\/onnx\/vision_encoder\.onnx/);
  });

  it('come from a custom cache', async () => {
    const url = 'https://hub.example/owner/name/resolve/main/onnx/vision_encoder.onnx';
    const customCache = { match: async (name: string) => (name === url ? new Response(bytes) : undefined) };
    const found = await readModelFile({ ...env, useCustomCache: true, customCache }, place, file);
    expect(found).toEqual({ bytes });
  });
});

describe('in a browser', () => {
  const env: LibraryEnv = {
    localModelPath: '/models/',
    remoteHost: 'https://hub.example/',
    remotePathTemplate: '{model}/resolve/{revision}/',
  };
  const url = 'https://hub.example/owner/name/resolve/main/onnx/vision_encoder.onnx';

  async function asInBrowser(): Promise<typeof import('../src/files/model-files.js')> {
    vi.resetModules();
    vi.doMock('#files', () => ({ platform: browser }));
    return await import('../src/files/model-files.js');
  }

  it("files come from the browser's cache, otherwise from the hub, but not when offline", async () => {
    const files = await asInBrowser();
    const cached = new Map<string, Uint8Array>();
    const open = vi.fn(async () => ({
      match: async (name: string) => (cached.has(name) ? new Response(cached.get(name) as never) : undefined),
    }));
    vi.stubGlobal('caches', { open });
    const fetched = vi.fn(async (at: string | URL) =>
      String(at) === url ? new Response(Uint8Array.of(2)) : new Response(null, { status: 404 }),
    );
    const own = { ...env, cacheKey: 'mine', fetch: fetched as unknown as typeof fetch };
    const read = (more = {}): Promise<{ bytes: Uint8Array }> =>
      files.readModelFile({ ...own, ...more }, { source: 'owner/name' }, 'onnx/vision_encoder.onnx');
    expect((await read()).bytes).toEqual(Uint8Array.of(2));
    expect(open).toHaveBeenCalledWith('mine');
    cached.set(url, Uint8Array.of(3));
    fetched.mockClear();
    expect((await read()).bytes).toEqual(Uint8Array.of(3));
    expect(fetched).not.toHaveBeenCalled();
    cached.clear();
    open.mockRejectedValue(new Error('SecurityError'));
    expect((await read()).bytes).toEqual(Uint8Array.of(2));
    await expect(read({ allowRemoteModels: false })).rejects.toThrow(/404/);
    const offline = files.readModelFile(
      own,
      { source: 'owner/name', offline: true },
      'onnx/vision_encoder.onnx',
    );
    await expect(offline).rejects.toMatchObject({ code: 'MMTOK_VISION_FEATURES' });
  });

  it('devices are those of browsers, and files are resolved next to URLs', () => {
    vi.stubGlobal('location', { href: 'https://page.example/app/' });
    expect(browser.beside('/models/a.onnx', 'a.onnx_data')).toBe('https://page.example/models/a.onnx_data');
    expect(browser.devices('auto')).toContain('wasm');
    expect(node.devices('auto')).toContain('cpu');
    expect(browser.modelFolder('./folder')).toBeUndefined();
  });

  it('models are tapped from downloaded bytes and weights', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    vi.resetModules();
    vi.doMock('#files', () => ({ platform: { ...browser, openCache: async () => undefined } }));
    const { loadVlm: loadInBrowser } = await import('../src/files/load-vlm.js');
    const { env: library } = (await import('@huggingface/transformers')) as unknown as {
      env: { fetch: unknown };
    };
    const before = library.fetch;
    library.fetch = async (at: string) => new Response(await readFile(at));
    try {
      const { model, tap } = await loadInBrowser(tiny.path, { offline: true });
      expect(tap.problem).toBeUndefined();
      expect(tap.tensor).toBe((await loadVlm(tiny.path)).tap.tensor);
      expect(model.sessions.vision_encoder.outputNames).toContain(tap.tensor);
      await model.dispose();
    } finally {
      library.fetch = before;
    }
  });
});
