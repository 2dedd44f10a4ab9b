// Looks at, and changes, what a loaded model feeds to the session that takes its embeddings. For tests of the fixtures themselves.
import { type PreTrainedModel, Tensor } from '@huggingface/transformers';

/** A tensor as a session sees it. */
export interface Fed {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
export type Feeds = Record<string, Fed>;

export interface Session {
  readonly inputNames: readonly string[];
  run(feeds: Feeds): Promise<Record<string, Fed>>;
}

/** The session that merged text and image embeddings go into. */
export function embeddingSession(model: PreTrainedModel): Session {
  const { decoder_model_merged: decoder, model: only } = model.sessions;
  return model.config.is_encoder_decoder ? only : (decoder ?? only);
}

/** Runs `action` while `change` sees, and may replace, whatever `session` is fed. */
export async function whileFed<T>(
  session: Session,
  change: (feeds: Feeds) => Feeds,
  action: () => Promise<T>,
): Promise<T> {
  const run = session.run;
  session.run = (feeds) => run.call(session, change(feeds));
  try {
    return await action();
  } finally {
    session.run = run;
  }
}

/** A copy of a tensor in which the element at each place is `change(old, place)`. */
export function changed(tensor: Fed, change: (old: number, place: number) => number): Fed {
  const { type, dims, data } = tensor;
  const copy =
    data instanceof BigInt64Array
      ? data.map((old, place) => BigInt(change(Number(old), place)))
      : data.map((old, place) => change(old, place));
  return new Tensor(type as 'float32' | 'int64', copy, [...dims]).ort_tensor as Fed;
}
