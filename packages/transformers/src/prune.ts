// prune(): attaches pruning to a loaded model and returns a handle.

import type { PreTrainedModel } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';
import { PromptMismatchError, UnsupportedModelError } from './errors.js';
import type { PrunedFamily } from './families/family.js';
import { prunedFamilyOf } from './families/index.js';
import { DefaultBackend } from './internal/session.js';
import type { ModelInputs, ModelLike } from './internal/types.js';
import { digest, readable } from './internal/values.js';
import type { CallOptions, PruneOptions, ResolvedOptions } from './options.js';
import { patch } from './patch/patch.js';
import { EncodedImagesCache, imageInputsOf } from './prefill/encode.js';
import type { PrefillContext } from './prefill/prefill.js';
import { countTokens, readPrompt, type TokenCount } from './prompt/prompt.js';
import { findQuestions } from './question/question.js';
import type { PruneReport } from './report.js';
import { checkPruneOptions, resolveOptions } from './resolve-options.js';
import { isFit, type TileBudget } from './select/pools.js';

/** The options of a pruned model's `generate`: the model's own options, plus `mmtok`. */
export type PrunedGenerateOptions<M extends PreTrainedModel> = Parameters<M['generate']>[0] & {
  /** Overrides for this call, or `false` to disable pruning for it. */
  readonly mmtok?: CallOptions | false;
};

/** Pruning attached to a model. */
export interface PruneHandle<M extends PreTrainedModel = PreTrainedModel> {
  /** The pruned model. */
  readonly model: M;
  /** The model family, e.g. `'LLaVA'`. */
  readonly family: string;
  /** The report of the most recently finished call. With concurrent calls, use `onReport` instead. */
  readonly lastReport: PruneReport | undefined;
  /** The model's own `generate`, typed with the `mmtok` option. Equivalent to calling `model.generate`. */
  generate(options: PrunedGenerateOptions<M>): ReturnType<M['generate']>;
  /**
   * Counts the vision and text tokens of each prompt in the batch, without running the model.
   * @throws PromptMismatchError if `inputs` did not come from the processor, and for Florence-2, whose prompts have no
   * placeholders to count.
   */
  countTokens(inputs: object): TokenCount[];
  /**
   * A stable key for the selection of a call: SHA-256 of the images, model, options, and question. Equal keys mean equal
   * selections, so you can store results and caches under the key, with two limits. First, models are identified by their type,
   * the inputs, outputs, precision, and device of their sessions, and `modelId`: if you use several checkpoints of one type, give
   * each its own `modelId`. Second, functions are identified by name and source code: `select`, `tiles: { by }`, a custom
   * maximizer or coverage term, and an agent. Functions with different code never share a key. Functions with the same name and
   * code do, even if they capture different variables; put what they capture into `modelId`.
   * @throws InvalidOptionsError if options contain circular references.
   */
  cacheKey(inputs: object, overrides?: CallOptions): Promise<string>;
  /**
   * Removes pruning and restores the model. The restored model cannot continue from a cache of a pruned call. All calls must have
   * finished. Safe to call more than once. The promise resolves when the default backend has been freed.
   */
  restore(): Promise<void>;
}

/**
 * Prunes the vision tokens of a transformers.js vision-language model: between the vision encoder and the language model, every
 * prompt with images keeps only the tokens that best cover the question and the images (MMTok, https://arxiv.org/abs/2508.18264).
 * Call `model.generate()` as before. Callers still see the full prompt in `sequences` and streamers.
 *
 * A direct call `model(inputs)` is pruned as well, on a copy of the inputs. Its logits are those of the shortened prompt.
 *
 * @throws UnsupportedModelError if the model cannot be pruned; the message gives the reason.
 * @throws AlreadyPrunedError if the model already has a handle.
 * @throws InvalidOptionsError, InvalidBudgetError if options are invalid.
 * @example
 * const { model, processor } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct');
 * const handle = prune(model, { processor, budget: { ratio: 0.1 } });
 * const output = await model.generate({ ...inputs, max_new_tokens: 64 });
 * console.log(handle.lastReport?.keptTokens);
 */
export function prune<M extends PreTrainedModel>(model: M, options: PruneOptions): PruneHandle<M> {
  const checked = checkPruneOptions(options);
  const target = model as unknown as ModelLike;
  const family = readable(
    () => prunedFamilyOf(target),
    (problem) => new UnsupportedModelError(undefined, problem),
  );
  expectTiles(family, checked.tiles);
  const ownBackend = checked.backend === undefined ? new DefaultBackend(target) : undefined;
  const context: PrefillContext = {
    model: target,
    family,
    processor: checked.processor,
    backend: async () => checked.backend ?? (await (ownBackend as DefaultBackend).get()),
    encodedImages: new EncodedImagesCache(checked.visionCacheSize ?? 4),
  };
  const defaults = { ...checked, allocation: checked.allocation ?? family.allocation };
  const resolve = (given: unknown): ResolvedOptions => resolveOptions(defaults, given);
  let lastReport: PruneReport | undefined;
  const restoreMethods = patch(context, {
    resolve(given) {
      const resolved = resolve(given);
      expectTiles(family, resolved.tiles);
      return resolved;
    },
    report: (report) => {
      lastReport = report;
    },
  });
  return {
    model,
    family: family.name,
    get lastReport() {
      return lastReport;
    },
    generate: (request) => target.generate(request as ModelInputs) as ReturnType<M['generate']>,
    countTokens: (inputs) =>
      readable(
        () => countTokens(family, target.config, inputs as ModelInputs),
        (problem) => new PromptMismatchError(problem),
      ),
    async cacheKey(inputs, overrides) {
      const given = readable(
        () => ({ ...inputs }) as ModelInputs,
        (problem) => new PromptMismatchError(problem),
      );
      const resolved = resolve(overrides);
      const prompt = readPrompt(family, target.config, given);
      const { onReport: _, images: __, ...settings } = resolved;
      return await digest({
        ...imageInputsOf(context, given),
        model: [checked.modelId ?? null, target.config.model_type, family.name],
        sessions: Object.entries(target.sessions).map(([name, { inputNames, outputNames, config }]) => [
          name,
          inputNames,
          outputNames,
          config ?? null,
        ]),
        backend: checked.backend === undefined ? null : [checked.backend.name, checked.backend.precision],
        settings,
        questions: findQuestions(context, resolved, prompt),
        placeholders: prompt.visionTokens,
        room: [resolved.budgets].flat().some(isFit) ? [prompt.textTokens, prompt.cachedTokens] : null,
      });
    },
    async restore() {
      restoreMethods();
      context.encodedImages.clear();
      await ownBackend?.dispose();
    },
  };
}

/** @throws InvalidOptionsError if tile selection is requested for a family that does not tile images here. */
function expectTiles({ name, noTiles }: PrunedFamily, tiles: TileBudget | undefined): void {
  if (noTiles === undefined || tiles === undefined || tiles === 'all') return;
  throw new InvalidOptionsError('options of prune', [
    `tiles: not available for ${name}: ${noTiles}; omit the option`,
  ]);
}
