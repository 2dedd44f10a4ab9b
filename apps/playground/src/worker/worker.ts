// The model's worker: runs one call at a time, and numbers each reply like its request.

import { type Backend, MmtokError } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import type { CallName, Calls, ImageFile, Problem, Progress, Reply, Request } from '../lib/types.js';
import { type Analyzed, analyze } from './analyze.js';
import { answer } from './answer.js';
import { customSelect } from './custom-select.js';
import { type Engine, loadEngine } from './engine.js';

/** What a call may do besides returning. */
interface Tools {
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
  onPiece(text: string): void;
}

/** A reply before it has the number of its request. */
type WithoutId = Reply extends infer Each ? (Each extends Reply ? Omit<Each, 'id'> : never) : never;

let engine: Engine | undefined;
let backend: Backend | undefined;
let analyzed: Analyzed | undefined;

function loaded(): Engine {
  if (engine === undefined) throw new Error('No model is loaded.');
  return engine;
}

const calls: {
  [Name in CallName]: (input: Calls[Name]['input'], tools: Tools) => Promise<Calls[Name]['output']>;
} = {
  async load(input, { onProgress }) {
    engine = await loadEngine(input, onProgress);
    backend = await createOrtBackend({ model: engine.vlm.model });
    return engine.facts;
  },
  async analyze({ image: file, question, tiles }) {
    const { vlm, facts } = loaded();
    const image = await decoded(file);
    const { textTemperature } = facts;
    analyzed = await analyze(vlm, backend as Backend, { image, question, tiles, textTemperature });
    return analyzed.analysis;
  },
  async owners({ kept }) {
    if (analyzed === undefined) throw new Error('No image has been analyzed.');
    return analyzed.owners(kept);
  },
  async answer({ image, code, ...input }, { onPiece, signal }) {
    const { vlm } = loaded();
    return await answer(vlm, await decoded(image), input, {
      onPiece,
      custom: code === undefined ? undefined : customSelect(code),
      signal,
    });
  },
};

/** The last image's pixels, so that a new question decodes nothing. */
let last: { readonly key: string; readonly image: ReturnType<typeof read> } | undefined;

async function read({ blob }: ImageFile) {
  return await loaded().vlm.library.RawImage.fromBlob(blob);
}

async function decoded(file: ImageFile): ReturnType<typeof read> {
  if (last?.key !== file.key) last = { key: file.key, image: read(file) };
  return await last.image;
}

function problemOf(error: unknown): Problem {
  if (MmtokError.isInstance(error)) return { message: error.message, code: error.code };
  const message = error instanceof Error ? error.message : String(error);
  if (!OUT_OF_MEMORY.test(message)) return { message };
  const remedy = 'Close other tabs, or choose a smaller model or precision.';
  return { message: `This tab ran out of memory (${message}). ${remedy}` };
}

/** What ONNX Runtime and WebAssembly say where memory runs out. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|failed to allocate|memory access out of bounds|invalid array length|array buffer allocation failed/i;

const running = new Map<number, AbortController>();
let turn: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  const post = (reply: WithoutId): void => self.postMessage({ id, ...reply });
  if (data.name === 'cancel') {
    running.get(id)?.abort(new Error('cancelled'));
    return;
  }
  const { name, input } = data;
  const controller = new AbortController();
  running.set(id, controller);
  turn = turn.then(async () => {
    try {
      controller.signal.throwIfAborted();
      const call = calls[name] as (input: unknown, tools: Tools) => Promise<unknown>;
      const output = await call(input, {
        signal: controller.signal,
        onProgress: (progress) => post({ kind: 'progress', progress }),
        onPiece: (text) => post({ kind: 'piece', text }),
      });
      post({ kind: 'done', output });
    } catch (error) {
      post({ kind: 'failed', problem: problemOf(error) });
    } finally {
      running.delete(id);
    }
  });
};
