// The route of Janus: one session embeds text and images together, and `forward` always runs it.

import { runSession } from '../../upstream/run-session.js';
import { makeTensor, toRows } from '../../upstream/tensors.js';
import {
  type ModelInputs,
  type ModelLike,
  type SessionLike,
  type TensorLike,
  tensorAt,
} from '../../upstream/types.js';
import type { Route } from '../route.js';

const SESSION = 'prepare_inputs_embeds';

/** The inputs that say "no images" for ids `[1, tokens]`, in the form that upstream uses at every decode step. */
function withoutImages(ids: TensorLike): ModelInputs {
  const tokens = ids.dims.at(-1) as number;
  return {
    input_ids: ids,
    pixel_values: makeTensor(ids, 'float32', new Float32Array(0), [0, 0, 3, 384, 384]),
    images_seq_mask: makeTensor(ids, 'bool', new Uint8Array(tokens), [1, tokens]),
    images_emb_mask: makeTensor(ids, 'bool', new Uint8Array(0), [1, 1, 0]),
  };
}

async function embed(model: ModelLike, ids: TensorLike): Promise<TensorLike> {
  const { inputs_embeds } = await runSession(model, SESSION, withoutImages(ids), ids);
  return inputs_embeds as TensorLike;
}

/** The model, but for a session that hands out ready embeddings. Calls do not share it, so they cannot meet. */
function withEmbeddings(model: ModelLike, embeddings: TensorLike): ModelLike {
  const session: SessionLike = {
    inputNames: [],
    outputNames: ['inputs_embeds'],
    run: async () => ({ inputs_embeds: embeddings.ort_tensor }),
  };
  return Object.create(model, {
    sessions: { value: { ...model.sessions, [SESSION]: session } },
  }) as ModelLike;
}

function slotsOf(inputs: ModelInputs): number[][] {
  const mask = tensorAt(inputs, 'images_seq_mask');
  const ids = tensorAt(inputs, 'input_ids');
  const fits = mask !== undefined && mask.dims.at(-1) === ids?.dims.at(-1);
  const rows = fits ? toRows('images_seq_mask', mask) : toRows('input_ids', ids as TensorLike).map(() => []);
  return rows.map((row) => row.flatMap((bit, column) => (bit === 0 ? [] : [column])));
}

/** Images and text in through `prepare_inputs_embeds`. */
export const janusRoute: Route = {
  sessions: [SESSION, 'model', 'lm_head'],
  decoder: 'model',
  imageInputs: ['pixel_values', 'images_seq_mask', 'images_emb_mask'],
  slots: slotsOf,
  textOnly: withoutImages,

  async encode(model, inputs) {
    const pixels = tensorAt(inputs, 'pixel_values') as TensorLike;
    const { inputs_embeds, ...others } = await runSession(model, SESSION, inputs, pixels);
    const { data, dims, type } = inputs_embeds as TensorLike;
    const [, tokens = 0, width = 0] = dims;
    const source = data as Float32Array;
    const rows = slotsOf(inputs).flatMap((slots, row) => slots.map((slot) => row * tokens + slot));
    const projected = new Float32Array(rows.length * width);
    rows.forEach((row, at) => {
      projected.set(source.subarray(row * width, (row + 1) * width), at * width);
    });
    return { projected: makeTensor(pixels, type, projected, [rows.length, width]), others };
  },

  embedText: embed,

  async prefill(model, forward, { ids, inputs, slots, kept }) {
    const embeddings = await embed(model, ids);
    const [, tokens = 0, width = 0] = embeddings.dims;
    // Written in place: the tensor is this call's own, and of the class that sessions return.
    const target = embeddings.data as Float32Array;
    const rows = kept.data as Float32Array;
    let next = 0;
    slots.forEach((columns, row) => {
      for (const column of columns) {
        target.set(rows.subarray(next * width, (next + 1) * width), (row * tokens + column) * width);
        next++;
      }
    });
    return await forward(inputs, withEmbeddings(model, embeddings));
  },
};
