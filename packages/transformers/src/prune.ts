// The main function of the package: attaches pruning to a loaded model and returns the handle.

import type { PreTrainedModel } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';
import type { PrunedFamily } from './families/family.js';
import { prunedFamilyOf } from './families/index.js';
import { digest } from './internal/digest.js';
import type { ModelInputs, ModelLike } from './internal/types.js';
import {
  type CallOptions,
  checkPruneOptions,
  type PruneOptions,
  type ResolvedOptions,
  resolveOptions,
} from './options.js';
import { patch } from './patch/patch.js';
import { EncodedImagesCache, imageInputsOf } from './prefill/encode.js';
import type { PrefillContext } from './prefill/prefill.js';
import { countTokens, readPrompt, type TokenCount } from './prompt/prompt.js';
import { findQuestions } from './question/question.js';
import type { PruneReport } from './report.js';
import { DefaultBackend } from './select/default-backend.js';
import { isFit, type TileBudget } from './select/pools.js';

/** What `generate` of a pruned model takes: the options of the model's own, and `mmtok`. */
export type PrunedGenerateOptions<M extends PreTrainedModel> = Parameters<M['generate']>[0] & {
  /** Overrides for this call, or `false` to leave it alone. */
  readonly mmtok?: CallOptions | false;
};

/** Pruning attached to a model. */
export interface PruneHandle<M extends PreTrainedModel = PreTrainedModel> {
  /** The model that is pruned. */
  readonly model: M;
  /** The family of the model, e.g. `'LLaVA'`. */
  readonly family: string;
  /** The report of the call that ended last. With concurrent calls, use `onReport`. */
  readonly lastReport: PruneReport | undefined;
  /** The model's own `generate`, typed with the option `mmtok`. Calling `model.generate` is the same. */
  generate(options: PrunedGenerateOptions<M>): ReturnType<M['generate']>;
  /**
   * Vision and text tokens of each prompt of the batch, before anything runs.
   * @throws PromptMismatchError if `inputs` are not what the processor returned, and for Florence-2, whose prompts have no
   * placeholders to count.
   */
  countTokens(inputs: object): TokenCount[];
  /**
   * A stable key of what a call would select: SHA-256 over images, model, options and question. Equal keys mean equal
   * selections, so results and caches can be stored under it, with two limits. Models are told apart by their type, the
   * inputs, outputs, precision and device of their sessions, and `modelId`: give checkpoints of one type a `modelId` each.
   * And functions are known by name and options only, not by their code: a `select` function, a maximizer or a coverage
   * term of your own, an agent.
   */
  cacheKey(inputs: object, overrides?: CallOptions): Promise<string>;
  /**
   * Takes pruning off; the model is as it was, and cannot continue a cache of a pruned call. Calls must have ended.
   * Calling it twice is harmless. The promise resolves when the default backend is freed.
   */
  restore(): Promise<void>;
}

/**
 * Prunes the vision tokens of a vision-language model of transformers.js: between its vision encoder and its language
 * model, every prompt with images keeps only the tokens that best cover the question and the images
 * (MMTok, https://arxiv.org/abs/2508.18264). `model.generate()` is called as before; the prompt that callers see, in
 * `sequences` and streamers, stays whole.
 *
 * A direct `model(inputs)` is pruned as well, on a copy of the inputs: its logits are those of the shortened prompt.
 *
 * @throws UnsupportedModelError for models that cannot be pruned, naming why.
 * @throws AlreadyPrunedError if the model has a handle already.
 * @throws InvalidOptionsError, InvalidBudgetError for wrong options.
 * @example
 * const { model, processor } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct');
 * const handle = prune(model, { processor, budget: { ratio: 0.1 } });
 * const output = await model.generate({ ...inputs, max_new_tokens: 64 });
 * console.log(handle.lastReport?.keptTokens);
 */
export function prune<M extends PreTrainedModel>(model: M, options: PruneOptions): PruneHandle<M> {
  const checked = checkPruneOptions(options);
  const target = model as unknown as ModelLike;
  const family = prunedFamilyOf(target);
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
    countTokens: (inputs) => countTokens(family, target.config, inputs as ModelInputs),
    async cacheKey(inputs, overrides) {
      const given = inputs as ModelInputs;
      const resolved = resolve(overrides);
      const prompt = readPrompt(family, target.config, given);
      const { onReport: _, images: __, agent, select, ...settings } = resolved;
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
        select: select === undefined ? null : select.name,
        questions: findQuestions(context, resolved, prompt),
        placeholders: prompt.visionTokens,
        room: [resolved.budgets].flat().some(isFit) ? [prompt.textTokens, prompt.cachedTokens] : null,
        agent: agent === undefined ? null : { ...agent, ask: agent.ask.name },
      });
    },
    async restore() {
      restoreMethods();
      context.encodedImages.clear();
      await ownBackend?.dispose();
    },
  };
}

/** @throws InvalidOptionsError if tiles are to be chosen of a family whose models get none here. */
function expectTiles({ name, noTiles }: PrunedFamily, tiles: TileBudget | undefined): void {
  if (noTiles === undefined || tiles === undefined || tiles === 'all') return;
  throw new InvalidOptionsError('options of prune', [
    `tiles: ${name} has none: ${noTiles}; leave the option out`,
  ]);
}
