// The unmodified library on an explicitly shortened prompt: the expected result of pruning. This file prunes nothing itself;
// it removes columns from what the library feeds to its language model, and runs every step over the whole sequence, without a cache.

import type { PrunedModel } from '../families/family.js';
import { withRun } from '../internal/session.js';
import { int64Matrix, makeTensor, toFloat32, toRows } from '../internal/tensors.js';
import {
  isTensor,
  type ModelInputs,
  type ModelLike,
  type SessionLike,
  type TensorData,
  type TensorLike,
  tensorAt,
} from '../internal/types.js';
import { unpatched } from '../patch/patch.js';
import type { PositionPolicy } from '../report.js';

/** A tensor as sessions receive it: ONNX Runtime's own. */
interface Fed {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

const isFed = (value: unknown): value is Fed => isTensor(value);

/** What defines the shortened prompt. */
export interface ShortenedPrompt {
  readonly inputs: ModelInputs;
  /** Positions of all vision tokens in the language model's input. */
  readonly places: readonly number[];
  /** The positions to keep. */
  readonly keptPlaces: readonly number[];
  readonly positions: PositionPolicy;
}

/** The unmodified library on one shortened prompt. */
export class ShortenedReference {
  private readonly pruned: PrunedModel;
  private readonly prompt: ShortenedPrompt;
  private readonly dropped: ReadonlySet<number>;
  private encoded: Promise<Record<string, unknown>> | undefined;

  constructor(pruned: PrunedModel, prompt: ShortenedPrompt) {
    const kept = new Set(prompt.keptPlaces);
    this.pruned = pruned;
    this.prompt = prompt;
    this.dropped = new Set(prompt.places.filter((place) => !kept.has(place)));
  }

  /** The logits after the prompt and the answer tokens so far. An encoder-decoder's answer begins with its start token. */
  async logits(answer: readonly number[]): Promise<Float32Array> {
    const { family } = this.pruned;
    const isEncoderDecoder = family.adapter.placement === 'beforeText';
    const outputs = isEncoderDecoder ? await this.encodeAndDecode(answer) : await this.decode(answer);
    const { data, dims } = toFloat32(outputs.logits as TensorLike);
    return data.slice(-(dims.at(-1) as number));
  }

  private async decode(answer: readonly number[]): Promise<Record<string, TensorLike>> {
    const { adapter } = this.pruned.family;
    const decoder = this.session(adapter.decoder);
    const model = this.model({
      [adapter.decoder]: withRun(decoder, (feeds) => decoder.run(this.shortened(feeds))),
    });
    return await model.forward(extended(this.prompt.inputs, answer));
  }

  private async encodeAndDecode(answer: readonly number[]): Promise<Record<string, TensorLike>> {
    const model = this.model({});
    const embedded = await model._prepare_inputs_embeds?.({ ...this.prompt.inputs });
    const ids = tensorAt(this.prompt.inputs, 'input_ids') as TensorLike;
    const short = Object.entries(this.shortened(embedded ?? {})).map(([name, value]) => {
      if (!isFed(value)) return [name, value];
      return [name, makeTensor(ids, value.type, value.data, value.dims)];
    });
    return await model.forward({
      ...Object.fromEntries(short),
      decoder_input_ids: int64Matrix(ids, [answer]),
    });
  }

  /** The unmodified model, with its images encoded only once. */
  private model(sessions: Readonly<Record<string, SessionLike>>): ModelLike {
    const { model, family } = this.pruned;
    const { encoder } = family.adapter;
    // If one session embeds images and text together, it has to run at every step.
    if (encoder !== 'vision_encoder') return unpatched(model, sessions);
    const session = this.session(encoder);
    return unpatched(model, {
      [encoder]: withRun(session, (feeds) => {
        this.encoded ??= session.run(feeds);
        return this.encoded;
      }),
      ...sessions,
    });
  }

  private session(name: string): SessionLike {
    return this.pruned.model.sessions[name] as SessionLike;
  }

  /** A session's feeds, without the columns of dropped tokens. */
  private shortened(feeds: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { inputs_embeds: embeds } = feeds;
    const length = isFed(embeds) ? (embeds.dims[1] as number) : 0;
    const keep = Array.from({ length }, (_, place) => place).filter((place) => !this.dropped.has(place));
    const like = tensorAt(this.prompt.inputs, 'input_ids') as TensorLike;
    return Object.fromEntries(
      Object.entries(feeds).map(([name, fed]) => {
        if (!isFed(fed) || name.startsWith('past')) return [name, fed];
        if (name === 'position_ids') {
          const isCompact = this.prompt.positions === 'compact';
          return [
            name,
            isCompact ? counted(like, fed, keep.length) : gather(like, fed, fed.dims.length - 1, keep),
          ];
        }
        return [name, fed.dims[1] === length ? gather(like, fed, 1, keep) : fed];
      }),
    );
  }
}

/** The entries `keep` of an axis. */
function gather(like: TensorLike, fed: Fed, axis: number, keep: readonly number[]): unknown {
  const length = fed.dims[axis] as number;
  const inner = fed.dims.slice(axis + 1).reduce((product, one) => product * one, 1);
  const outer = length === 0 ? 0 : fed.data.length / (length * inner);
  const Data = fed.data.constructor as new (length: number) => TensorData;
  const data = new Data(outer * keep.length * inner);
  for (let o = 0; o < outer; o++) {
    keep.forEach((from, to) => {
      const source = (o * length + from) * inner;
      data.set(fed.data.subarray(source, source + inner) as never, (o * keep.length + to) * inner);
    });
  }
  const dims = fed.dims.map((one, at) => (at === axis ? keep.length : one));
  return makeTensor(like, fed.type, data, dims).ort_tensor;
}

/** Positions renumbered from the first one, on every axis. */
function counted(like: TensorLike, fed: Fed, length: number): unknown {
  const first = BigInt(fed.data[0] ?? 0);
  const rows = fed.data.length / (fed.dims.at(-1) as number);
  const data = BigInt64Array.from({ length: rows * length }, (_, at) => first + BigInt(at % length));
  return makeTensor(like, 'int64', data, [...fed.dims.slice(0, -1), length]).ort_tensor;
}

/** Inputs with tokens of the answer after the prompt. */
function extended(inputs: ModelInputs, answer: readonly number[]): ModelInputs {
  const ids = tensorAt(inputs, 'input_ids') as TensorLike;
  const append = (name: string, more: readonly number[]): TensorLike | undefined => {
    const tensor = tensorAt(inputs, name);
    if (tensor === undefined) return undefined;
    const [row = []] = toRows(name, tensor);
    if (tensor.type === 'int64') return int64Matrix(ids, [[...row, ...more]]);
    return makeTensor(ids, tensor.type, Uint8Array.from([...row, ...more]), [1, row.length + more.length]);
  };
  const nothing = answer.map(() => 0);
  const appended = {
    input_ids: append('input_ids', answer),
    attention_mask: append(
      'attention_mask',
      answer.map(() => 1),
    ),
    images_seq_mask: append('images_seq_mask', nothing),
    token_type_ids: append('token_type_ids', nothing),
  };
  return {
    ...inputs,
    ...Object.fromEntries(Object.entries(appended).filter(([, tensor]) => tensor !== undefined)),
  };
}
