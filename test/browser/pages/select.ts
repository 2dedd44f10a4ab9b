// The small embedded model from the site's server: asked a question, and vision tokens chosen on its ONNX Runtime.

import { env } from '@huggingface/transformers';
import { type Selection, selectTokens } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { featuresOf } from '../features.js';
import { useOwnRuntime } from './runtime.js';

/** Which features, and how many tokens to keep. */
export interface SelectRequest {
  readonly seeds: readonly number[];
  readonly tokens: number;
}

/** What a page found. */
export interface SelectReply {
  readonly device: string;
  /** One selection a seed. */
  readonly selections: readonly Selection[];
  /** The answer to the first sample, with all vision tokens. */
  readonly answer: string;
  readonly expected: string;
  /** A transformers.js setting that loading must not change. */
  readonly allowLocalModels: boolean;
}

/** Loads, asks, selects. */
export async function selectOnModel({ seeds, tokens }: SelectRequest): Promise<SelectReply> {
  useOwnRuntime();
  const baseUrl = '/tiny-vlm/';
  const vlm = await loadTinyVlm({ size: 'small', dtype: 'fp16', baseUrl });
  const [sample] = await samples({ baseUrl });
  if (sample === undefined) throw new Error('there are no samples');
  const answer = await vlm.ask(sample.image, sample.question);
  const backend = await createOrtBackend({ model: vlm.model });
  const selections: Selection[] = [];
  for (const seed of seeds) {
    selections.push(await selectTokens({ backend, ...featuresOf(seed), budget: { tokens } }));
  }
  const { device } = backend;
  await backend.dispose();
  await vlm.model.dispose();
  return { device, selections, answer, expected: sample.answer, allowLocalModels: env.allowLocalModels };
}
