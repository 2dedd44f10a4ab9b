// The entry point for programs such as `mmtok serve`: turns a model name, and optionally an upstream server, into a running server.

import { type CreateVlmOptions, createVlm } from '@mmtok/transformers';
import type { Engine } from './engine.js';
import { createLocalEngine } from './engines/local.js';
import { createVllmEngine, type VllmEngineOptions } from './engines/vllm.js';
import { logToStdout } from './observe.js';
import type { ServerOptions } from './options.js';
import { checkAccess } from './request/auth.js';
import { createVisionSelector } from './selector/create-selector.js';
import type { LoadEncoderOptions } from './selector/load-encoder.js';
import { type RunningServer, startServer } from './server.js';
import { createVllmClient } from './vllm/client.js';

/** The vLLM server behind this one. */
export interface UpstreamOptions extends Pick<VllmEngineOptions, 'grid' | 'probe' | 'concurrency' | 'dtype'> {
  /** Its address, e.g. `http://vllm:8000`. */
  readonly url: string;
  /** The name under which it serves the model. @default the model's */
  readonly model?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** Options of {@link serveModel}. */
export interface ServeModelOptions extends Omit<ServerOptions, 'engine'> {
  /** A folder or a hub id, in the layout of transformers.js. */
  readonly model: string;
  /** The vLLM server that answers. @default none, the model runs in this process */
  readonly upstream?: UpstreamOptions | undefined;
  /** Vision tokens to keep of each image. @default `{ ratio: 0.1 }` */
  readonly budget?:
    | { readonly tokens: number }
    | { readonly ratio: number }
    | { readonly coverage: number }
    | undefined;
  /** Precision, device, revision, and folders of the model's files. */
  readonly load?: LoadEncoderOptions | undefined;
  /** Further selection options and, for the local engine, the agent. */
  readonly pruning?: Omit<CreateVlmOptions, 'keep' | keyof LoadEncoderOptions> | undefined;
  /** The model's name for clients. @default the upstream server's, or the model's */
  readonly servedName?: string | undefined;
  /** Requests that may wait; further ones get 429. @default 32 */
  readonly queueLimit?: number | undefined;
  /** Images whose encodings are kept for further questions. @default 8 */
  readonly cachedImages?: number | undefined;
}

/**
 * Loads a model and serves it: the whole model in this process, or only its vision encoder in front of a vLLM server.
 * @throws what `createVlm` throws; ServeStartError if the model cannot be served that way; UpstreamUnavailableError.
 *
 * @example
 * const server = await serveModel({ model: 'llava-hf/…', upstream: { url: 'http://127.0.0.1:8000' }, port: 8080 });
 */
export async function serveModel(options: ServeModelOptions): Promise<RunningServer> {
  const {
    model,
    upstream,
    budget = { ratio: 0.1 },
    load = {},
    pruning = {},
    servedName,
    queueLimit,
    cachedImages = 8,
    ...server
  } = options;
  // Fails before loading a model for nothing.
  checkAccess(server);
  const engine = await (async (): Promise<Engine> => {
    if (upstream === undefined) {
      const vlm = await createVlm(model, {
        ...defined(load),
        // Encodings of recent images are reused by further questions about them.
        followUps: 'reselect',
        visionCacheSize: cachedImages,
        ...pruning,
        keep: budget,
      });
      return createLocalEngine({ model: vlm, servedName, queueLimit });
    }
    const { url, model: served = servedName ?? model, apiKey, ...rest } = upstream;
    const selector = await createVisionSelector(model, { ...load, budget, selection: pruning, cachedImages });
    try {
      const client = createVllmClient({ baseUrl: url, model: served, apiKey });
      return await createVllmEngine({
        ...rest,
        client,
        selector,
        queueLimit,
        log: options.log ?? logToStdout,
      });
    } catch (error) {
      await selector.dispose();
      throw error;
    }
  })();
  try {
    return await startServer({ ...server, engine });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Drops entries that are `undefined`, which the loading options do not accept. */
function defined(load: LoadEncoderOptions): CreateVlmOptions {
  return Object.fromEntries(Object.entries(load).filter(([, value]) => value !== undefined));
}
