// The expected result of pruning: the unmodified library on an explicitly shortened sequence, without a cache.

import { type PreTrainedModel, Tensor } from '@huggingface/transformers';
import type { LoadedTinyModel, ModelInputs, TinyModel } from '../tiny-models/index.js';
import { embeddingSession, type Fed, type Feeds, whileFed } from '../tiny-models/session-probe.js';

/** An int64 tensor `[1, tokens]`. */
export function tokens(ids: readonly (number | bigint)[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
}

/** Inputs with additional text tokens after the prompt. */
export function extended(inputs: ModelInputs, ids: readonly (number | bigint)[]): ModelInputs {
  if (ids.length === 0) return inputs;
  const longer: ModelInputs = { ...inputs };
  const append = (tensor: Tensor, more: readonly (number | bigint)[]): Tensor => {
    const data = [...(tensor.data as BigInt64Array), ...more].map((value) => BigInt(value as bigint));
    return new Tensor('int64', BigInt64Array.from(data), [1, data.length]);
  };
  longer.input_ids = append(inputs.input_ids as Tensor, ids);
  longer.attention_mask = append(
    inputs.attention_mask as Tensor,
    ids.map(() => 1n),
  );
  const mask = inputs.images_seq_mask;
  if (mask !== undefined) {
    const bits = [...(mask.data as Uint8Array), ...ids.map(() => 0)];
    longer.images_seq_mask = new Tensor('bool', Uint8Array.from(bits), [1, bits.length]);
  }
  return longer;
}

function gather(fed: Fed, axis: number, keep: readonly number[]): Fed {
  const dims = [...fed.dims];
  const length = dims[axis] as number;
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = fed.data.length / (length * inner);
  const picks: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (const column of keep) for (let i = 0; i < inner; i++) picks.push((o * length + column) * inner + i);
  }
  dims[axis] = keep.length;
  const data =
    fed.data instanceof BigInt64Array
      ? BigInt64Array.from(picks, (at) => (fed.data as BigInt64Array)[at] as bigint)
      : Float32Array.from(picks, (at) => (fed.data as Float32Array)[at] as number);
  return new Tensor(fed.type as 'float32', data as Float32Array, dims).ort_tensor as unknown as Fed;
}

/** The feeds of a session, with only the kept columns. */
function shortened(feeds: Feeds, keep: readonly number[], compact: boolean): Feeds {
  const short: Feeds = { ...feeds };
  const length = feeds.inputs_embeds?.dims[1];
  for (const [name, fed] of Object.entries(feeds)) {
    if (name.startsWith('past')) continue;
    if (name === 'position_ids') {
      const first = Number(fed.data[0]);
      const kept = gather(fed, fed.dims.length - 1, keep);
      const line = BigInt64Array.from({ length: kept.data.length }, (_, at) =>
        BigInt(first + (at % keep.length)),
      );
      short[name] = compact ? (new Tensor('int64', line, [...kept.dims]).ort_tensor as unknown as Fed) : kept;
    } else if (fed.dims[1] === length) short[name] = gather(fed, 1, keep);
  }
  return short;
}

/** Options of a reference run. */
export interface ReferenceRun {
  readonly tiny: TinyModel;
  /** Loaded without pruning. */
  readonly pristine: LoadedTinyModel;
  readonly inputs: ModelInputs;
  /** Kept vision tokens, counted over all vision tokens of the prompt. */
  readonly kept: readonly number[];
  readonly compact?: boolean;
  readonly count: number;
}

/** Greedy tokens of the explicitly shortened prompt; every step runs over the whole sequence. */
export async function referenceTokens({
  tiny,
  pristine,
  inputs,
  kept,
  compact,
  count,
}: ReferenceRun): Promise<number[]> {
  const slots = tiny.visualSlots(inputs);
  const keptSlots = new Set(kept.map((index) => slots[index]));
  const { model } = pristine;
  const shorten = (feeds: Feeds): Feeds => {
    const length = feeds.inputs_embeds?.dims[1] ?? 0;
    const keep = Array.from({ length }, (_, at) => at).filter(
      (at) => !slots.includes(at) || keptSlots.has(at),
    );
    return shortened(feeds, keep, compact ?? false);
  };
  const answer: number[] = [];
  while (answer.length < count) {
    const outputs = model.config.is_encoder_decoder
      ? await encodeDecode(model, inputs, tokens([tiny.eosTokenId, ...answer]), shorten)
      : await whileFed(embeddingSession(model), shorten, () => model.forward(extended(inputs, answer)));
    answer.push(argMaxOfLast(outputs.logits as Tensor));
  }
  return answer;
}

/** An encoder-decoder, whose decoder looks at the shortened encoder output under the shortened mask. */
async function encodeDecode(
  model: PreTrainedModel,
  inputs: ModelInputs,
  decoder_input_ids: Tensor,
  shorten: (feeds: Feeds) => Feeds,
): Promise<Record<string, unknown>> {
  const { _prepare_inputs_embeds: prepare } = model as unknown as {
    _prepare_inputs_embeds(inputs: ModelInputs): Promise<Feeds>;
  };
  const short = shorten(await prepare.call(model, inputs));
  const wrapped = Object.fromEntries(
    Object.entries(short).map(([name, fed]) => [
      name,
      new Tensor(fed.type as 'float32', fed.data as Float32Array, [...fed.dims]),
    ]),
  );
  return await model.forward({ ...wrapped, decoder_input_ids });
}

function argMaxOfLast(logits: Tensor): number {
  const last = (logits.data as Float32Array).slice(-(logits.dims.at(-1) as number));
  return last.indexOf(Math.max(...last));
}

/** The output of `generate` beyond the prompt, for the first row or another. */
export function answerOf(sequences: unknown, prompt: number, row = 0): number[] {
  const { data, dims } = sequences as Tensor;
  const width = dims[1] as number;
  return Array.from((data as BigInt64Array).slice(row * width + prompt, (row + 1) * width), Number);
}

/** `generate`, loosely typed. */
export async function generate(model: PreTrainedModel, options: Record<string, unknown>): Promise<unknown> {
  return await model.generate(options as Parameters<PreTrainedModel['generate']>[0]);
}
