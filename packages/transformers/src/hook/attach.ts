// Puts pruning onto a loaded model: three methods of the instance are covered, none is replaced for good.

import { AlreadyPrunedError } from '../errors/already-pruned-error.js';
import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import { resolveOptions } from '../options.js';
import { continuedPositions } from '../positions/numbering.js';
import { placeholdersOf } from '../prompt/prompt.js';
import type { PruneReport } from '../report/prune-report.js';
import { int64Matrix, toRows } from '../upstream/tensors.js';
import { type CacheLike, type ModelInputs, type TensorLike, tensorAt } from '../upstream/types.js';
import { prunedEncoderInputs } from './encoder-prefill.js';
import { prunedPrefill } from './prefill.js';
import { PruneCall } from './prune-call.js';
import { type PrunedSequence, rememberSequence, sequenceOf } from './pruned-sequence.js';
import { cachedColumns, isMaskOverCache, resume } from './resume.js';
import type { Forward } from './route.js';
import type { Site } from './site.js';

/** The input under which a call travels through the model's steps, and the option under which callers give overrides. */
const CALL = 'mmtok';

const attached = new WeakSet<object>();

/** What {@link attach} gives back. */
export interface Attachment {
  /** Uncovers the model. Calls must have ended. */
  detach(): void;
}

/**
 * Covers `generate`, `forward` and `prepare_inputs_for_generation` of an instance. transformers.js looks all three up
 * on the instance at every step, and hands one inputs object from step to step, in which the call travels.
 * @param report receives the report of every call.
 * @throws AlreadyPrunedError if the model is covered already.
 */
export function attach(site: Site, report: (report: PruneReport) => void): Attachment {
  const { model } = site;
  if (attached.has(model)) throw new AlreadyPrunedError();
  const original = {
    generate: model.generate,
    forward: model.forward,
    prepare: model.prepare_inputs_for_generation,
    embeds: model._prepare_inputs_embeds,
  };
  let isAttached = true;
  const forward: Forward = (inputs, self = model) => original.forward.call(self, inputs);
  const publish = (call: PruneCall): void => {
    const finished = call.finished();
    if (finished === undefined) return;
    report(finished);
    call.options.onSelection?.(finished);
  };
  const newCall = (given: unknown): PruneCall =>
    new PruneCall(resolveOptions(site.options, given === false ? {} : given), given === false);

  const isEncoder = site.family.route.isEncoder === true;
  const encoderInputs = (call: PruneCall, inputs: ModelInputs): Promise<ModelInputs> =>
    prunedEncoderInputs(
      site,
      call,
      inputs,
      (own) => original.embeds?.call(model, own) ?? Promise.resolve({}),
    );

  const covers = {
    ...(isEncoder && {
      async _prepare_inputs_embeds(inputs: ModelInputs): Promise<ModelInputs> {
        const { [CALL]: given, ...own } = inputs;
        const isPrompt = given instanceof PruneCall && isAttached;
        return isPrompt ? await encoderInputs(given, own) : await (original.embeds?.call(model, own) ?? {});
      },
    }),

    async generate(options: ModelInputs): Promise<unknown> {
      if (!isAttached) return await original.generate.call(model, options);
      const call = newCall(options[CALL]);
      const result = await original.generate.call(model, { ...options, [CALL]: call });
      if (call.sequence !== undefined) {
        const returned = (result as { readonly past_key_values?: unknown } | null)?.past_key_values;
        for (const cache of [returned, options.past_key_values]) rememberSequence(cache, call.sequence);
      }
      publish(call);
      return result;
    },

    prepare_inputs_for_generation(allIds: unknown, inputs: ModelInputs, config: unknown): ModelInputs {
      const call = inputs[CALL];
      const prepare = (): ModelInputs => original.prepare.call(model, allIds, inputs, config);
      if (!isAttached || !(call instanceof PruneCall)) return prepare();
      if (call.isPrepared) {
        // At every step, for a call that fails midway leaves a cache that can be gone on with.
        if (call.sequence !== undefined) rememberSequence(inputs.past_key_values, call.sequence);
        return prepareStep(site, call, prepare());
      }
      call.isPrepared = true;
      return preparePrompt(site, call, inputs, prepare);
    },

    async forward(inputs: ModelInputs): Promise<Record<string, TensorLike>> {
      if (!isAttached) return await forward(inputs);
      const given = inputs[CALL];
      if (!(given instanceof PruneCall)) {
        const { [CALL]: _, ...own } = inputs;
        const isPrompt =
          tensorAt(inputs, 'pixel_values') !== undefined && cachedColumns(inputs.past_key_values) === 0;
        if (!isPrompt || given === false) return await forward(own);
        const call = newCall(given);
        const outputs = isEncoder
          ? await forward({ ...own, ...(await encoderInputs(call, own)) })
          : await prunedPrefill(site, call, own, forward);
        publish(call);
        return outputs;
      }
      if (!isEncoder && !given.isPrefilled) {
        given.isPrefilled = true;
        return await prunedPrefill(site, given, inputs, async (step, self) => {
          await given.dropStaleCache();
          return await forward(withoutCall(step), self);
        });
      }
      const started = performance.now();
      const step = withoutCall(inputs);
      // Upstream rebuilds the mask as all ones where this key exists, even without pixels, which would unmask padding.
      if (given.sequence !== undefined && step.pixel_values === null) delete step.pixel_values;
      const outputs = await forward(step);
      given.addDecode(performance.now() - started);
      return outputs;
    },
  };
  const names = Object.keys(covers) as (keyof typeof covers)[];
  const owned = names.map((name) => [name, Object.getOwnPropertyDescriptor(model, name)] as const);
  Object.assign(model, covers);
  model.forward_params = [...model.forward_params, CALL];
  attached.add(model);

  return {
    detach() {
      if (!isAttached) return;
      isAttached = false;
      attached.delete(model);
      for (const [name, before] of owned) {
        if (model[name] !== covers[name]) continue;
        if (before === undefined) Reflect.deleteProperty(model, name);
        else Object.defineProperty(model, name, before);
      }
      model.forward_params = model.forward_params.filter((name) => name !== CALL);
    },
  };
}

function withoutCall(inputs: ModelInputs): ModelInputs {
  const { [CALL]: _, ...rest } = inputs;
  return rest;
}

/** The first step: a prompt, possibly over a cache. */
function preparePrompt(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
  prepare: () => ModelInputs,
): ModelInputs {
  const known = sequenceOf(inputs.past_key_values);
  if (known !== undefined && call.options.turns === 'reselect' && !call.isOff) {
    expectAll(site, inputs, known);
    call.staleCache = inputs.past_key_values as CacheLike;
    if (known.vision !== undefined) {
      call.keptVision = { entry: known.vision, imageInputs: known.imageInputs ?? {} };
      if (known.imageGrid !== undefined) inputs.image_grid_thw ??= known.imageGrid;
    }
    return withoutCache(inputs, prepare);
  }
  if (cachedColumns(inputs.past_key_values) === 0) return withoutCache(inputs, prepare);
  const before = slotsOf(site, inputs);
  if (known !== undefined) {
    call.sequence = known;
    resume(site, inputs, known);
  }
  const prepared = prepare();
  const after = slotsOf(site, inputs);
  call.cachedSlots = before.map((count, row) => count - (after[row] ?? 0));
  return prepared;
}

/** Placeholders of each row. */
function slotsOf({ model, family }: Site, inputs: ModelInputs): number[] {
  const ids = toRows('input_ids', tensorAt(inputs, 'input_ids') as TensorLike);
  const slots = family.route.slots?.(inputs) ?? placeholdersOf(ids, family, model.config);
  return slots.map((row) => row.length);
}

/**
 * Checks that a prompt can be processed again from its start.
 * @throws PromptMismatchError if a part of the conversation or its images are missing.
 */
function expectAll(site: Site, inputs: ModelInputs, known: PrunedSequence): void {
  const again = "turns: 'reselect' processes the whole conversation again";
  const width = tensorAt(inputs, 'input_ids')?.dims[1] ?? 0;
  const isPart = width < known.fullLength || isMaskOverCache(inputs, known);
  if (isPart || slotsOf(site, inputs).every((count) => count === 0)) {
    throw new PromptMismatchError(
      `${again}, but input_ids hold only a part of it; pass all its tokens with the image placeholders, under a mask ` +
        "of the same length, or go on over the cache with mmtok: { turns: 'freeze' }",
    );
  }
  if (inputs.pixel_values == null && known.vision === undefined) {
    throw new PromptMismatchError(
      `${again}, but there are no pixel_values, and the turn before did not keep its encoded images; pass all that ` +
        "the processor returned, or begin with turns: 'reselect'",
    );
  }
}

/** A cache makes Qwen models drop the images of a prompt, so it is put aside while they prepare one from its start. */
function withoutCache(inputs: ModelInputs, prepare: () => ModelInputs): ModelInputs {
  if (inputs.past_key_values == null) return prepare();
  const { past_key_values } = inputs;
  delete inputs.past_key_values;
  const prepared = prepare();
  prepared.past_key_values = past_key_values;
  return prepared;
}

/** A further step: one token, whose position the model would count from the shortened cache. */
function prepareStep({ family }: Site, { sequence }: PruneCall, inputs: ModelInputs): ModelInputs {
  if (sequence === undefined || sequence.positions === 'compact' || family.positions !== '1d') return inputs;
  const mask = tensorAt(inputs, 'attention_mask');
  const ids = tensorAt(inputs, 'input_ids');
  if (mask === undefined || ids === undefined) return inputs;
  const masks = toRows('attention_mask', mask);
  const positions = continuedPositions(
    masks,
    ids.dims[1] as number,
    family.firstPosition ?? 0,
    sequence.removed,
  );
  inputs.position_ids = int64Matrix(ids, positions);
  return inputs;
}
