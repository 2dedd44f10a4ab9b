// The adapter of LLaVA-NeXT: the encoder sees tiles, and the rows of each image end with newlines, one per line of tokens.

import { UnsupportedModelError } from '../errors.js';
import { type Packing, packingsOf } from '../internal/anyres.js';
import { runSession } from '../internal/session.js';
import { tappedOutputs } from '../internal/tapped-sessions.js';
import { makeTensor, rowCount } from '../internal/tensors.js';
import { type TensorData, type TensorLike, tensorAt } from '../internal/types.js';
import type { ModelAdapter } from './adapter.js';
import { embeddingsAdapter, SALIENCY_OUTPUT } from './embeddings.js';

/** The encoder's output `[1, D]` that ends a line of tokens. */
const NEWLINE_OUTPUT = 'image_newline';

/** Encodes tiles with `vision_encoder`, which has the additional output `image_newline`. */
export const llavaNextAdapter: ModelAdapter = {
  ...embeddingsAdapter,
  imageInputs: ['pixel_values', 'image_sizes'],
  forwardInputs: ['image_sizes'],

  async encode(model, inputs) {
    const pixels = tensorAt(inputs, 'pixel_values') as TensorLike;
    const {
      image_features,
      [NEWLINE_OUTPUT]: newline,
      [SALIENCY_OUTPUT]: saliency,
      ...others
    } = await runSession(model, 'vision_encoder', inputs, pixels);
    if (image_features === undefined || newline === undefined) {
      throw new UnsupportedModelError(
        String(model.config.model_type),
        `its vision encoder has no output ${NEWLINE_OUTPUT}; export it with training/llava_next of the mmtok repository`,
      );
    }
    const packings = packingsOf(model.config, inputs);
    const tokens = packings.reduce((sum, { tiles }) => sum + tiles.length * (tiles[0]?.visionTokens ?? 0), 0);
    const rows = rowCount(image_features);
    if (rows !== tokens) {
      throw new UnsupportedModelError(
        String(model.config.model_type),
        `its vision encoder outputs ${rows} rows for tiles with ${tokens} vision tokens`,
      );
    }
    const tapped = Object.entries(tappedOutputs(model.sessions.vision_encoder, others)).map(
      ([name, output]) =>
        [name, rowCount(output) === tokens ? withNewlines(output, packings) : output] as const,
    );
    return {
      projected: withNewlines(image_features, packings, newline),
      others: Object.fromEntries(tapped),
      ...(saliency && { saliency: withNewlines(columnOf(saliency), packings) }),
    };
  },
};

/** `[tiles, n]` as `[tiles · n, 1]`. */
const columnOf = (tensor: TensorLike): TensorLike => {
  const data = tensor.data as TensorData;
  return makeTensor(tensor, tensor.type, data, [data.length, 1]);
};

/** The rows `[…, D]` of each image followed by its newlines, as `[rows, D]`; zeros if there is no `newline`. */
function withNewlines(tensor: TensorLike, packings: readonly Packing[], newline?: TensorLike): TensorLike {
  const width = tensor.dims.at(-1) ?? 0;
  const source = tensor.data as Float32Array;
  const line = newline?.data as Float32Array | undefined;
  const lines = packings.reduce((sum, { newlines }) => sum + newlines, 0);
  const data = new (source.constructor as new (length: number) => Float32Array)(
    source.length + lines * width,
  );
  let from = 0;
  let to = 0;
  for (const { tiles, newlines } of packings) {
    const length = tiles.reduce((sum, { visionTokens }) => sum + visionTokens, 0) * width;
    data.set(source.subarray(from, from + length), to);
    from += length;
    to += length;
    for (let at = 0; at < newlines; at++) {
      if (line !== undefined) data.set(line, to);
      to += width;
    }
  }
  return makeTensor(tensor, tensor.type, data as TensorData, [data.length / width, width]);
}
