// A loaded model with pruning attached, as createVlm uses it: one generation, its report, and counts in its terms.

import type { PreTrainedModel, Tensor } from '@huggingface/transformers';
import { type Backend, InvalidOptionsError } from '@mmtok/core';
import { createOrtBackend, type OrtBackendOptions } from '@mmtok/ort-backend';
import type { ModelInputs } from '../families/process.js';
import type { LoadedVlm } from '../files/load-vlm.js';
import { prunedFamilyOf } from '../models/registry.js';
import { type CallOptions, checkPruneOptions, type PruneOptions } from '../options.js';
import { type PruneHandle, prune } from '../prune.js';
import type { PruneReport } from '../report/prune-report.js';
import type { ModelLike } from '../upstream/types.js';
import type { Usage } from './answer.js';
import type { Keep } from './request.js';

/** The options of `prune` that users of `createVlm` have. */
export type PruningOptions = Partial<Omit<PruneOptions, 'processor'>>;

const DEFAULT_KEEP = 0.1;

/** What `keep` says, as options of a call. */
export function keepOptions(keep: Keep): Pick<CallOptions, 'budget'> | false {
  if (keep === false) return false;
  if (typeof keep !== 'number') return { budget: keep };
  return { budget: keep < 1 ? { ratio: keep } : { tokens: keep } };
}

/**
 * Checks options before a model is loaded.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function checkPruning(keep: Keep | undefined, options: PruningOptions): void {
  if (keep !== undefined && options.budget !== undefined)
    throw new InvalidOptionsError('options of createVlm', ['give either keep or budget, not both']);
  const tokenizer = { decode: () => '' };
  checkPruneOptions({
    ...options,
    budget: budgetOf(keep, options),
    processor: { tokenizer },
    backend: options.backend ?? { run: () => undefined },
  });
}

function budgetOf(keep: Keep | undefined, { budget }: PruningOptions): PruneOptions['budget'] {
  const own = keepOptions(keep ?? DEFAULT_KEEP);
  return budget ?? (own === false || own.budget === undefined ? { ratio: DEFAULT_KEEP } : own.budget);
}

/** ONNX Runtime as the model's own sessions use it, so that there is never a second copy. */
async function backendOf({ model, library }: LoadedVlm): Promise<Backend> {
  const [session] = Object.values((model as unknown as ModelLike).sessions);
  const sample = new library.Tensor('float32', new Float32Array(1), [1]) as { readonly ort_tensor?: object };
  const ort = { InferenceSession: session?.constructor, Tensor: sample.ort_tensor?.constructor };
  const { device } = (session?.config ?? {}) as { readonly device?: string };
  const isInBrowser = device === 'wasm' || device === 'webgpu';
  return await createOrtBackend({
    ort: ort as unknown as NonNullable<OrtBackendOptions['ort']>,
    ...(isInBrowser && { device: 'wasm' }),
  });
}

/** A model with pruning attached. */
export class PrunedModel {
  readonly handle: PruneHandle;
  private readonly model: PreTrainedModel;
  private readonly onSelection: PruneOptions['onSelection'];
  private readonly own: Backend | undefined;
  /** Vision tokens of an image by the shape of its pixels, where the processor does not tell. */
  private readonly counts = new Map<string, number>();

  private constructor(loaded: LoadedVlm, options: PruneOptions, own: Backend | undefined) {
    this.model = loaded.model;
    this.onSelection = options.onSelection;
    this.own = own;
    this.handle = prune(loaded.model, options);
  }

  /** @throws UnsupportedModelError, AlreadyPrunedError, InvalidOptionsError, BackendUnavailableError */
  static async attach(
    loaded: LoadedVlm,
    keep: Keep | undefined,
    options: PruningOptions,
  ): Promise<PrunedModel> {
    const own = options.backend === undefined ? await backendOf(loaded) : undefined;
    const backend = options.backend ?? (own as Backend);
    const all = {
      ...options,
      budget: budgetOf(keep, options),
      processor: loaded.processor,
      backend,
      modelId: options.modelId ?? loaded.source,
    };
    try {
      return new PrunedModel(loaded, all, own);
    } catch (error) {
      await own?.dispose();
      throw error;
    }
  }

  /** Runs `generate` and gives back its sequences with the report of this very call. */
  async generate(
    inputs: Readonly<Record<string, unknown>>,
    options: CallOptions | false,
  ): Promise<{ readonly sequences: Tensor; readonly report: PruneReport }> {
    let report: PruneReport | undefined;
    const observe = options === false ? undefined : (options.onSelection ?? this.onSelection);
    const mmtok = options !== false && {
      ...options,
      onSelection(one: PruneReport): void {
        report = one;
        observe?.(one);
      },
    };
    const sequences = (await this.handle.generate({ ...inputs, mmtok })) as Tensor;
    return { sequences, report: report ?? (this.handle.lastSelection as PruneReport) };
  }

  /** Vision tokens of an image whose pixels a processor has prepared, told by the encoder itself. */
  async tokensPerImage(inputs: ModelInputs): Promise<number> {
    const dims = inputs.pixel_values?.dims ?? [1];
    const key = dims.slice(1).join();
    const known = this.counts.get(key);
    if (known !== undefined) return known;
    const target = this.model as unknown as ModelLike;
    const { projected } = await prunedFamilyOf(target).route.encode(target, { ...inputs });
    const tokens = projected.dims.slice(0, -1).reduce((product, length) => product * length, 1);
    const count = tokens / (dims[0] ?? 1);
    this.counts.set(key, count);
    return count;
  }

  /** Takes pruning off and frees what was made for it. */
  async restore(): Promise<void> {
    this.handle.detach();
    await this.own?.dispose();
  }
}

/** The counts of a report. */
export function usageOf(report: PruneReport, newTokens: number): Usage {
  const [row] = report.rows;
  return {
    promptTokens: row?.promptBefore ?? 0,
    keptPromptTokens: row?.promptAfter ?? 0,
    visionTokens: report.tokensBefore,
    keptTokens: report.tokensAfter,
    newTokens,
  };
}
