// A loaded model with pruning attached, for createVlm: runs one generation, returns its report, and counts tokens.

import type { Tensor } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';
import { prunedFamilyOf } from '../families/index.js';
import type { ModelInputs } from '../families/process.js';
import type { LoadedVlm } from '../files/load-vlm.js';
import { rowCount } from '../internal/tensors.js';
import type { ModelLike } from '../internal/types.js';
import type { CallOptions, PruneOptions } from '../options.js';
import { type PruneHandle, prune } from '../prune.js';
import type { PruneReport } from '../report.js';
import { checkPruneOptions } from '../resolve-options.js';
import type { Usage } from './answer.js';
import { isTimeBudget, type Keep, type TimeBudget } from './request.js';

/** The options of `prune` that `createVlm` accepts. */
export interface PruningOptions extends Partial<Omit<PruneOptions, 'processor' | 'budget'>> {
  /** How many vision tokens to keep, or the time limit for the first token. */
  readonly budget?: PruneOptions['budget'] | TimeBudget;
}

const DEFAULT_KEEP = 0.1;

/** Converts `keep` to options of a call. */
export function keepOptions(keep: Exclude<Keep, TimeBudget>): Pick<CallOptions, 'budget'> | false {
  if (keep === false) return false;
  if (typeof keep !== 'number') return { budget: keep };
  return { budget: keep < 1 ? { ratio: keep } : { tokens: keep } };
}

/**
 * Validates options before a model is loaded.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function checkPruning(keep: Keep | undefined, options: PruningOptions): void {
  if (keep !== undefined && options.budget !== undefined)
    throw new InvalidOptionsError('options of createVlm', ['keep and budget cannot be combined']);
  const tokenizer = { decode: () => '' };
  checkPruneOptions({
    ...options,
    budget: budgetOf(keep, options),
    processor: { tokenizer },
  });
}

function budgetOf(keep: Keep | undefined, { budget }: PruningOptions): PruneOptions['budget'] {
  // A time budget is planned separately for each call.
  if (isTimeBudget(budget) || isTimeBudget(keep)) return { ratio: DEFAULT_KEEP };
  const own = keepOptions(keep ?? DEFAULT_KEEP);
  return budget ?? (own === false || own.budget === undefined ? { ratio: DEFAULT_KEEP } : own.budget);
}

/** A model with pruning attached. */
export class Runner {
  readonly handle: PruneHandle;
  private readonly model: ModelLike;
  private readonly onReport: PruneOptions['onReport'];
  /** Vision tokens per image by pixel shape, for processors that do not report the count. */
  private readonly counts = new Map<string, number>();

  /** @throws UnsupportedModelError, AlreadyPrunedError, InvalidOptionsError */
  constructor(loaded: LoadedVlm, keep: Keep | undefined, options: PruningOptions) {
    this.model = loaded.model as unknown as ModelLike;
    this.onReport = options.onReport;
    this.handle = prune(loaded.model, {
      ...options,
      budget: budgetOf(keep, options),
      processor: loaded.processor,
      modelId: options.modelId ?? loaded.source,
    });
  }

  /** Runs `generate` and returns its sequences with the report of that call. */
  async generate(
    inputs: Readonly<Record<string, unknown>>,
    options: CallOptions | false,
    complete: (report: PruneReport) => PruneReport = (report) => report,
  ): Promise<{ readonly sequences: Tensor; readonly report: PruneReport }> {
    let report: PruneReport | undefined;
    const observe = options === false ? undefined : (options.onReport ?? this.onReport);
    const mmtok = options !== false && {
      ...options,
      async onReport(one: PruneReport): Promise<void> {
        report = complete(one);
        await observe?.(report);
      },
    };
    const sequences = (await this.handle.generate({ ...inputs, mmtok })) as Tensor;
    return { sequences, report: report ?? (this.handle.lastReport as PruneReport) };
  }

  /** Vision tokens of a preprocessed image, counted by running the encoder. */
  async tokensPerImage(inputs: ModelInputs): Promise<number> {
    const dims = inputs.pixel_values?.dims ?? [1];
    const key = dims.slice(1).join();
    const count = this.counts.get(key) ?? (await visionTokensPerImage(this.model, inputs));
    this.counts.set(key, count);
    return count;
  }

  /** Removes pruning and frees its resources. */
  async restore(): Promise<void> {
    await this.handle.restore();
  }
}

/** Vision tokens of each preprocessed image, counted by running the encoder. */
export async function visionTokensPerImage(model: ModelLike, inputs: ModelInputs): Promise<number> {
  const { projected } = await prunedFamilyOf(model).adapter.encode(model, { ...inputs });
  return rowCount(projected) / (inputs.pixel_values?.dims[0] ?? 1);
}

/** The token counts of a report. */
export function usageOf(report: PruneReport, newTokens: number): Usage {
  const [prompt] = report.prompts;
  return {
    promptTokens: prompt?.promptTokens ?? 0,
    keptPromptTokens: prompt?.keptPromptTokens ?? 0,
    visionTokens: report.visionTokens,
    keptTokens: report.keptTokens,
    newTokens,
  };
}
