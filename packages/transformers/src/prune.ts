// The main function of the package: attaches pruning to a loaded model and hands out the handle.

import type { PreTrainedModel } from '@huggingface/transformers';
import { isFit } from './budget/prompt-budget.js';
import { countTokens, type TokenCount } from './count-tokens.js';
import { digest } from './features/image-key.js';
import { VisionCache } from './features/vision-cache.js';
import { attach } from './hook/attach.js';
import { imageInputsOf } from './hook/encode.js';
import type { Site } from './hook/site.js';
import { prunedFamilyOf } from './models/registry.js';
import { type CallOptions, checkPruneOptions, type PruneOptions, resolveOptions } from './options.js';
import { readPrompt } from './prompt/prompt.js';
import { rowQuestions } from './question/row-questions.js';
import type { PruneReport } from './report/prune-report.js';
import type { ModelInputs, ModelLike } from './upstream/types.js';

/** Pruning attached to a model. */
export interface PruneHandle {
  /** The family of the model, e.g. `'LLaVA'`. */
  readonly family: string;
  /** The report of the call that ended last. With calls at the same time, use `onSelection`. */
  readonly lastSelection: PruneReport | undefined;
  /**
   * The model's own `generate`, typed with the option `mmtok`: overrides for this call, or `false` to leave it alone.
   * Calling `model.generate` is the same.
   */
  generate(
    options: Readonly<Record<string, unknown>> & { readonly mmtok?: CallOptions | false },
  ): ReturnType<PreTrainedModel['generate']>;
  /**
   * Vision and text tokens of each row of the batch, before anything runs.
   * @throws PromptMismatchError if `inputs` are not what the processor returned, and for Florence-2, whose prompts have no
   * placeholders to count.
   */
  countTokens(inputs: object): TokenCount[];
  /**
   * A stable key of what a call would select: SHA-256 over images, model, options and question. Equal keys mean equal
   * selections, so results and caches can be stored under it, with two limits. Models are told apart by their type, the
   * inputs, outputs, precision and device of their sessions, and `modelId`: give checkpoints of one type a `modelId` each.
   * And of functions it knows names and options only: of an agent not the answers, of a maximizer or a coverage term of
   * your own not the code.
   */
  cacheKey(inputs: object, overrides?: CallOptions): Promise<string>;
  /**
   * Takes pruning off; the model is as it was, and can go on with no cache of a pruned call. Calls must have ended. Calling
   * it twice is harmless.
   */
  detach(): void;
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
 * const handle = prune(model, { processor, backend: await createOrtBackend(), budget: { ratio: 0.1 } });
 * const output = await model.generate({ ...inputs, max_new_tokens: 64 });
 * console.log(handle.lastSelection?.tokensAfter);
 */
export function prune(model: unknown, options: PruneOptions): PruneHandle {
  const checked = checkPruneOptions(options);
  const target = model as ModelLike;
  const family = prunedFamilyOf(target);
  resolveOptions(checked, {});
  const site: Site = {
    model: target,
    family,
    options: checked,
    visionCache: new VisionCache(checked.visionCacheSize ?? 4),
  };
  let lastSelection: PruneReport | undefined;
  const attachment = attach(site, (report) => {
    lastSelection = report;
  });
  return {
    family: family.name,
    get lastSelection() {
      return lastSelection;
    },
    generate: (request) => target.generate(request as ModelInputs) as ReturnType<PreTrainedModel['generate']>,
    countTokens: (inputs) => countTokens(family, target.config, inputs as ModelInputs),
    async cacheKey(inputs, overrides) {
      const given = inputs as ModelInputs;
      const resolved = resolveOptions(checked, overrides);
      const prompt = readPrompt(family, target.config, given);
      const { processor: _, backend, onSelection: __, images: ___, agent, ...settings } = resolved;
      return await digest({
        ...imageInputsOf(site, given),
        model: [checked.modelId ?? null, target.config.model_type, family.name],
        sessions: Object.entries(target.sessions).map(([name, { inputNames, outputNames, config }]) => [
          name,
          inputNames,
          outputNames,
          config ?? null,
        ]),
        backend: [backend.name, backend.precision],
        settings,
        questions: rowQuestions(site, resolved, prompt),
        slots: prompt.slots.map((row) => row.length),
        room: [resolved.budgets].flat().some(isFit) ? [prompt.textTokens, prompt.cachedTokens] : null,
        agent: agent === undefined ? null : { ...agent, ask: agent.ask.name },
      });
    },
    detach() {
      attachment.detach();
      site.visionCache.clear();
    },
  };
}
