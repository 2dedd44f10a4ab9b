// The adapters of models in which one session, `prepare_inputs_embeds`, embeds text and images together: Janus, whose session also
// encodes the images, and Phi-3 Vision, whose session takes encoded images.

import { UnsupportedModelError } from '../errors.js';
import { runSession, withSessions } from '../internal/session.js';
import { makeTensor, tensorRows, toRows, writeRowsAt } from '../internal/tensors.js';
import {
  type ModelInputs,
  type ModelLike,
  numberAt,
  section,
  type TensorLike,
  tensorAt,
} from '../internal/types.js';
import type { ModelAdapter } from './adapter.js';
import { encodeVision } from './embeddings.js';

/** Embeds text and images. */
const SESSION = 'prepare_inputs_embeds';

/** The inputs that mean "no images" for ids `[1, tokens]`, in the form that upstream uses at every decode step. */
function withoutImages(ids: TensorLike): ModelInputs {
  const tokens = ids.dims.at(-1) as number;
  return {
    input_ids: ids,
    pixel_values: makeTensor(ids, 'float32', new Float32Array(0), [0, 0, 3, 384, 384]),
    images_seq_mask: makeTensor(ids, 'bool', new Uint8Array(tokens), [1, tokens]),
    images_emb_mask: makeTensor(ids, 'bool', new Uint8Array(0), [1, 1, 0]),
  };
}

async function embedJanus(model: ModelLike, ids: TensorLike): Promise<TensorLike> {
  const { inputs_embeds } = await runSession(model, SESSION, withoutImages(ids), ids);
  return inputs_embeds as TensorLike;
}

function placeholders(inputs: ModelInputs): number[][] {
  const mask = tensorAt(inputs, 'images_seq_mask');
  const ids = tensorAt(inputs, 'input_ids');
  const fits = mask !== undefined && mask.dims.at(-1) === ids?.dims.at(-1);
  const rows = fits ? toRows('images_seq_mask', mask) : toRows('input_ids', ids as TensorLike).map(() => []);
  return rows.map((row) => row.flatMap((bit, position) => (bit === 0 ? [] : [position])));
}

/** Embeds images and text with `prepare_inputs_embeds`. */
export const janusAdapter: ModelAdapter = {
  sessions: [SESSION, 'model', 'lm_head'],
  encoder: SESSION,
  decoder: 'model',
  placement: 'placeholders',
  imageInputs: ['pixel_values', 'images_seq_mask', 'images_emb_mask'],
  placeholders,
  textOnly: withoutImages,

  async encode(model, inputs) {
    const pixels = tensorAt(inputs, 'pixel_values') as TensorLike;
    const { inputs_embeds, ...others } = await runSession(model, SESSION, inputs, pixels);
    const embeddings = inputs_embeds as TensorLike;
    const tokens = embeddings.dims[1] ?? 0;
    const rows = placeholders(inputs).flatMap((own, batchIndex) =>
      own.map((position) => batchIndex * tokens + position),
    );
    return { projected: tensorRows(embeddings, rows), others };
  },

  embedText: embedJanus,

  async prefill(model, forward, { ids, inputs, visionPositions, kept }) {
    const embeddings = writeRowsAt(await embedJanus(model, ids), visionPositions, kept);
    // Calls do not share the stand-in session, so they cannot interfere.
    const ready = {
      inputNames: [],
      outputNames: ['inputs_embeds'],
      run: async () => ({ inputs_embeds: embeddings.ort_tensor }),
    };
    return await forward(inputs, withSessions(model, { [SESSION]: ready }));
  },
};

/** Embeddings `[batch, tokens, D]` of ids, with image features `[vision tokens, D]` in place of negative ids. */
async function embedPhi3v(model: ModelLike, ids: TensorLike, features: TensorLike): Promise<TensorLike> {
  const feeds = { input_ids: ids, image_features: features };
  const { inputs_embeds } = await runSession(model, SESSION, feeds, ids);
  return inputs_embeds as TensorLike;
}

function hiddenSize({ config }: ModelLike): number {
  const size =
    numberAt(section(config, 'normalized_config'), 'hidden_size') ?? numberAt(config, 'hidden_size');
  if (size === undefined)
    throw new UnsupportedModelError(String(config.model_type), 'its config.json has no hidden_size');
  return size;
}

/** Encodes images with `vision_encoder` and merges them with the text in `prepare_inputs_embeds`. */
export const phi3vAdapter: ModelAdapter = {
  sessions: ['vision_encoder', SESSION, 'model'],
  encoder: 'vision_encoder',
  decoder: 'model',
  placement: 'placeholders',
  imageInputs: ['pixel_values', 'image_sizes'],
  encode: encodeVision,

  async embedText(model, ids) {
    return await embedPhi3v(
      model,
      ids,
      makeTensor(ids, 'float32', new Float32Array(0), [0, hiddenSize(model)]),
    );
  },

  async prefill(model, forward, { ids, inputs, kept }) {
    return await forward({ ...inputs, inputs_embeds: await embedPhi3v(model, ids, kept) });
  },
};
