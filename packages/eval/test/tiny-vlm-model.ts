// The embedded model as an EvalModel: its own features go to the selector, and what comes back is all that it sees.

import { RawImage, Tensor } from '@huggingface/transformers';
import { type Backend, keywords, type MatrixInput } from '@mmtok/core';
import { loadTinyVlm } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';
import type { EvalModel } from '../src/index.js';

/** `[rows, columns]` of the model's vision tokens. */
const grid = [16, 16] as const;

/** A session of ONNX Runtime, as transformers.js keeps them in `model.sessions`. */
interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, MatrixInput>>>;
}

/** The tensor of ONNX Runtime within a tensor of transformers.js. */
const inner = (tensor: unknown): unknown => (tensor as { readonly ort_tensor: unknown }).ort_tensor;

/** Loads the model; `backend` serves its pruning. */
export async function tinyVlmModel(backend: Backend): Promise<EvalModel> {
  const { model, processor, tokenizer, ask } = await loadTinyVlm();
  const { vision_encoder, embed_tokens } = (
    model as unknown as { sessions: { vision_encoder: Session; embed_tokens: Session } }
  ).sessions;
  const handle = prune(model, {
    processor: processor as never,
    backend,
    budget: { ratio: 1 },
  });

  return async (image, question, select) => {
    if (select === undefined) return ask(image, question, { mmtok: false });

    const { pixel_values } = await processor(await RawImage.read(image), '<image>');
    const { image_features, vision_features } = await vision_encoder.run({
      pixel_values: inner(pixel_values),
    });
    const ids = tokenizer.encode(keywords(question).join(' '), { add_special_tokens: false });
    const input_ids = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
    const { inputs_embeds } = await embed_tokens.run({ input_ids: inner(input_ids) });
    const kept = await select({
      vision: image_features!,
      visionFeatures: vision_features!,
      text: inputs_embeds!,
      grid,
    });

    const exclude = Array.from({ length: grid[0] * grid[1] }, (_, token) => token).filter(
      (token) => !kept.includes(token),
    );
    const answer = await ask(image, question, {
      mmtok: { budget: { tokens: kept.length }, exclude: [exclude] },
    });
    const seen = handle.lastSelection?.images[0]?.indices;
    if (seen?.join() !== kept.join()) throw new Error(`The model saw ${seen}, the selection was ${kept}.`);
    return answer;
  };
}
