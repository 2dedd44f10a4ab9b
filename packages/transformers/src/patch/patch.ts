// Patches three methods of a loaded model instance so that its prompts are pruned; restore() puts the originals back. Only
// this file assigns to the library's inputs.

import type { Forward } from '../adapters/adapter.js';
import { AlreadyPrunedError, PromptMismatchError } from '../errors.js';
import { toRows } from '../internal/tensors.js';
import {
  type CacheLike,
  type ModelInputs,
  type ModelLike,
  type SessionLike,
  type TensorLike,
  tensorAt,
} from '../internal/types.js';
import type { ResolvedOptions } from '../options.js';
import { type PrefillContext, prefill } from '../prefill/prefill.js';
import { stepPositions } from '../prompt/positions.js';
import { placeholdersOf } from '../prompt/prompt.js';
import type { PruneReport } from '../report.js';
import { PruneCall } from './call.js';
import {
  cachedLength,
  isMaskOverCache,
  type RememberedSequence,
  rememberSequence,
  resumed,
  sequenceOf,
} from './sequence.js';

/** The input that carries a call through the model's steps, and the option with which callers pass overrides. */
const CALL = 'mmtok';

/** The original methods of patched models. */
const patched = new WeakMap<object, OriginalMethods>();

type OriginalMethods = Pick<
  ModelLike,
  'generate' | 'forward' | 'prepare_inputs_for_generation' | '_prepare_inputs_embeds'
>;

/**
 * The model without pruning, patched or not: the library's own methods on the same sessions.
 * @param sessions sessions that replace the model's own.
 */
export function unpatched(model: ModelLike, sessions: Readonly<Record<string, SessionLike>> = {}): ModelLike {
  const methods = patched.get(model) ?? {};
  const own = Object.entries(methods).filter(([, method]) => method !== undefined);
  return Object.create(model, {
    ...Object.fromEntries(own.map(([name, value]) => [name, { value }])),
    sessions: { value: { ...model.sessions, ...sessions } },
    forward_params: { value: model.forward_params.filter((name) => name !== CALL) },
  }) as ModelLike;
}

/** What a patched model calls. */
export interface PatchHooks {
  /** Resolves the options of a call from the caller's `mmtok` value. */
  readonly resolve: (given: unknown) => ResolvedOptions;
  /** Receives the report of every call. */
  readonly report: (report: PruneReport) => void;
}

/**
 * Patches `generate`, `forward` and `prepare_inputs_for_generation` of an instance. transformers.js looks up all three on
 * the instance at every step, and passes one inputs object from step to step, which carries the call.
 * @returns a function that restores the model. All calls must have ended. Calling it twice is harmless.
 * @throws AlreadyPrunedError if the model is already patched.
 */
export function patch(context: PrefillContext, hooks: PatchHooks): () => void {
  const { model, family } = context;
  if (patched.has(model)) throw new AlreadyPrunedError();
  const original = {
    generate: model.generate,
    forward: model.forward,
    prepare: model.prepare_inputs_for_generation,
    embeds: model._prepare_inputs_embeds,
  };
  let isPatched = true;
  const isEncoder = family.adapter.placement === 'beforeText';
  const forward: Forward = (inputs, self = model) => original.forward.call(self, inputs);
  const embed = async (inputs: ModelInputs, self: ModelLike = model): Promise<ModelInputs> =>
    (await original.embeds?.call(self, inputs)) ?? {};

  const newCall = ({ [CALL]: given, reshaped_input_sizes: sizes }: ModelInputs): PruneCall =>
    new PruneCall(hooks.resolve(given === false ? {} : given), given === false, sizes);
  const publish = async (call: PruneCall): Promise<void> => {
    const report = call.finished();
    if (report === undefined) return;
    hooks.report(report);
    await call.options.onReport?.(report);
  };
  const run = async (call: PruneCall, inputs: ModelInputs, process: Forward) => {
    const { options, isOff, start, reshapedSizes } = call;
    const result = await prefill(
      context,
      { options, isOff, start, inputs, reshapedSizes },
      async (step, self) => {
        await call.dropStaleCache();
        return await process(withoutCall(step), self);
      },
    );
    call.prefilled(result);
    return result;
  };
  /** The encoder input of an encoder-decoder. */
  const encoderInputs = async (call: PruneCall, inputs: ModelInputs): Promise<ModelInputs> => {
    if (tensorAt(inputs, 'input_ids') === undefined) return await embed(inputs);
    const { outputs } = await run(call, inputs, async (step, self) => {
      const isReady = step.inputs_embeds != null;
      return (isReady ? step : await embed(step, self)) as Record<string, TensorLike>;
    });
    return outputs;
  };

  const patches = {
    ...(isEncoder && {
      async _prepare_inputs_embeds(inputs: ModelInputs): Promise<ModelInputs> {
        const call = inputs[CALL];
        const own = withoutCall(inputs);
        return call instanceof PruneCall && isPatched ? await encoderInputs(call, own) : await embed(own);
      },
    }),

    async generate(options: ModelInputs): Promise<unknown> {
      if (!isPatched) return await original.generate.call(model, options);
      const call = newCall(options);
      const result = await original.generate.call(model, { ...options, [CALL]: call });
      if (call.sequence !== undefined) {
        const returned = (result as { readonly past_key_values?: unknown } | null)?.past_key_values;
        for (const cache of [returned, options.past_key_values]) rememberSequence(cache, call.sequence);
      }
      await publish(call);
      return result;
    },

    prepare_inputs_for_generation(allIds: unknown, inputs: ModelInputs, config: unknown): ModelInputs {
      const call = inputs[CALL];
      const prepare = (): ModelInputs => original.prepare.call(model, allIds, inputs, config);
      if (!isPatched || isEncoder || !(call instanceof PruneCall)) return prepare();
      if (call.state.step === 'new') return preparePrompt(context, call, inputs, prepare);
      const { sequence } = call;
      if (sequence === undefined) return prepare();
      // At every step, because a call that fails midway leaves a cache that the next turn may continue from.
      rememberSequence(inputs.past_key_values, sequence);
      const prepared = prepare();
      const mask = tensorAt(prepared, 'attention_mask');
      const masks = mask && toRows('attention_mask', mask);
      return Object.assign(prepared, stepPositions(context, prepared, sequence, masks));
    },

    async forward(inputs: ModelInputs): Promise<Record<string, TensorLike>> {
      if (!isPatched) return await forward(inputs);
      const given = inputs[CALL];
      if (!(given instanceof PruneCall)) {
        const own = withoutCall(inputs);
        const isPrompt =
          tensorAt(inputs, 'pixel_values') !== undefined && cachedLength(inputs.past_key_values) === 0;
        if (!isPrompt || given === false) return await forward(own);
        const call = newCall(inputs);
        const outputs = isEncoder
          ? await forward({ ...own, ...(await encoderInputs(call, own)) })
          : (await run(call, own, forward)).outputs;
        await publish(call);
        return outputs;
      }
      if (!isEncoder && given.state.step !== 'prefilled') {
        const { outputs, carried, dropped } = await run(given, inputs, forward);
        // In place: generate() continues with this same object.
        for (const name of dropped) delete inputs[name];
        Object.assign(inputs, carried);
        return outputs;
      }
      const started = performance.now();
      const step = withoutCall(inputs);
      // Upstream rebuilds the mask as all ones if this key exists, even without pixels, which would unmask padding.
      if (given.sequence !== undefined && step.pixel_values === null) delete step.pixel_values;
      const outputs = await forward(step);
      given.addDecode(performance.now() - started);
      return outputs;
    },
  };

  const names = Object.keys(patches) as (keyof typeof patches)[];
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(model, name)] as const);
  Object.assign(model, patches);
  const adapterInputs = (family.adapter.forwardInputs ?? []).filter(
    (name) => !model.forward_params.includes(name),
  );
  const added = [...adapterInputs, CALL];
  model.forward_params = [...model.forward_params, ...added];
  patched.set(model, {
    generate: original.generate,
    forward: original.forward,
    prepare_inputs_for_generation: original.prepare,
    _prepare_inputs_embeds: original.embeds,
  } as OriginalMethods);

  return () => {
    if (!isPatched) return;
    isPatched = false;
    patched.delete(model);
    for (const [name, descriptor] of before) {
      if (model[name] !== patches[name]) continue;
      if (descriptor === undefined) Reflect.deleteProperty(model, name);
      else Object.defineProperty(model, name, descriptor);
    }
    model.forward_params = model.forward_params.filter((name) => !added.includes(name));
  };
}

function withoutCall(inputs: ModelInputs): ModelInputs {
  const { [CALL]: _, ...rest } = inputs;
  return rest;
}

/** The first step of a call: a prompt, possibly over a cache. */
function preparePrompt(
  context: PrefillContext,
  call: PruneCall,
  inputs: ModelInputs,
  prepare: () => ModelInputs,
): ModelInputs {
  const known = sequenceOf(inputs.past_key_values);
  if (known !== undefined && call.options.followUps === 'reselect' && !call.isOff) {
    expectAll(context, inputs, known);
    call.state = {
      step: 'prepared',
      start: { cachedPlaceholders: [], earlier: known.images },
      staleCache: inputs.past_key_values as CacheLike,
    };
    if (known.images !== undefined && known.imageGrid !== undefined)
      inputs.image_grid_thw ??= known.imageGrid;
    return withoutCache(inputs, prepare);
  }
  if (cachedLength(inputs.past_key_values) === 0) {
    call.state = { step: 'prepared', start: { cachedPlaceholders: [] } };
    return withoutCache(inputs, prepare);
  }
  const before = placeholderCounts(context, inputs);
  if (known !== undefined) Object.assign(inputs, resumed(context, inputs, known));
  const prepared = prepare();
  const after = placeholderCounts(context, inputs);
  const cachedPlaceholders = before.map((count, batchIndex) => count - (after[batchIndex] ?? 0));
  call.state = { step: 'prepared', start: { sequence: known, cachedPlaceholders } };
  return prepared;
}

/** Placeholders of each prompt. */
function placeholderCounts({ model, family }: PrefillContext, inputs: ModelInputs): number[] {
  return placeholdersOf(family, model.config, inputs).map((own) => own.length);
}

/**
 * Checks that a prompt can be processed again from the start.
 * @throws PromptMismatchError if part of the conversation or its images are missing.
 */
function expectAll(context: PrefillContext, inputs: ModelInputs, known: RememberedSequence): void {
  const again = "followUps: 'reselect' processes the whole conversation again";
  const width = tensorAt(inputs, 'input_ids')?.dims[1] ?? 0;
  const isPart = width < known.fullLength || isMaskOverCache(inputs, known);
  if (isPart || placeholderCounts(context, inputs).every((count) => count === 0)) {
    throw new PromptMismatchError(
      `${again}, but input_ids contain only a part of it; pass all tokens, including image placeholders, with a mask ` +
        "of the same length, or continue from the cache with mmtok: { followUps: 'reuse' }",
    );
  }
  if (inputs.pixel_values == null && known.images === undefined) {
    throw new PromptMismatchError(
      `${again}, but there are no pixel_values, and the previous turn did not keep its encoded images; pass everything ` +
        "that the processor returned, or use followUps: 'reselect' from the first turn",
    );
  }
}

/** With a cache, Qwen models drop the images of a prompt, so the cache is set aside while they prepare one from the start. */
function withoutCache(inputs: ModelInputs, prepare: () => ModelInputs): ModelInputs {
  if (inputs.past_key_values == null) return prepare();
  const { past_key_values } = inputs;
  delete inputs.past_key_values;
  const prepared = prepare();
  prepared.past_key_values = past_key_values;
  return prepared;
}
