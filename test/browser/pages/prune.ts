// A tiny random model from the site's server: loaded with its encoder tapped, pruned, asked once.

import { env, Tensor } from '@huggingface/transformers';
import { loadVlm, type PruneReport, prune } from '@mmtok/transformers';
import { useOwnRuntime } from './runtime.js';

/** A tensor as plain data. */
export interface PlainTensor {
  readonly type: 'float32' | 'int64';
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** Which model, what to ask it, and how many vision tokens to keep. */
export interface PruneRequest {
  readonly model: string;
  /** What a processor made of a prompt and an image, elsewhere: pictures are not decoded alike everywhere. */
  readonly inputs: Readonly<Record<string, PlainTensor>>;
  readonly question: string;
  readonly tokens: number;
}

/** What came of it. */
export interface PruneReply {
  readonly family: string;
  /** Outputs of the vision encoder after it was tapped. */
  readonly outputs: readonly string[];
  readonly report: PruneReport | undefined;
}

/** Loads, prunes, generates. */
export async function pruneTinyModel({
  model: source,
  inputs,
  question,
  tokens,
}: PruneRequest): Promise<PruneReply> {
  useOwnRuntime();
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  const { model, processor } = await loadVlm(source, { dtype: 'fp32' });
  const handle = prune(model, { processor, budget: { tokens }, minVisionTokens: 1 });
  const tensors = Object.entries(inputs).map(([name, { type, dims, data }]) => {
    const values = type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    return [name, new Tensor(type, values, [...dims])];
  });
  await handle.generate({ ...Object.fromEntries(tensors), max_new_tokens: 2, mmtok: { question } });
  const { family, lastReport: report } = handle;
  const { outputNames: outputs } = model.sessions.vision_encoder as { outputNames: readonly string[] };
  handle.restore();
  await model.dispose();
  return { family, outputs, report };
}
