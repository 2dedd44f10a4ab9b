// Several prompts as one batch, and what tests check about the tensors of a batch.

import { createHash } from 'node:crypto';
import { Tensor } from '@huggingface/transformers';
import type { ModelInputs } from '../tiny-models/index.js';
import type { Fed } from '../tiny-models/session-probe.js';

interface EncoderSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, Fed>>;
}

/** A vision encoder in which images with grids cannot see each other: tiny ones attend over all patches they are given. */
export function oneByOne(session: EncoderSession): EncoderSession {
  const grid = session.inputNames.find((input) => input.endsWith('grid_thw'));
  if (grid === undefined) return session;
  const { inputNames, outputNames } = session;
  return {
    inputNames,
    outputNames,
    async run(feeds) {
      const grids = feeds[grid]?.data as BigInt64Array;
      const pixels = feeds.pixel_values as Tensor;
      const width = pixels.dims[1] as number;
      const parts: Fed[] = [];
      let start = 0;
      for (let image = 0; image < grids.length; image += 3) {
        const own = grids.slice(image, image + 3);
        const patches = Number(own.reduce((product, length) => product * length, 1n));
        const data = (pixels.data as Float32Array).slice(start * width, (start + patches) * width);
        start += patches;
        const { image_features } = await session.run({
          pixel_values: new Tensor('float32', data, [patches, width]).ort_tensor as unknown as Tensor,
          [grid]: new Tensor('int64', own, [1, 3]).ort_tensor as unknown as Tensor,
        });
        parts.push(image_features as Fed);
      }
      const all = parts.flatMap((part) => Array.from(part.data as Float32Array));
      const columns = parts[0]?.dims.at(-1) as number;
      const Cjs = parts[0]?.constructor as new (type: string, data: Float32Array, dims: number[]) => Fed;
      return { image_features: new Cjs('float32', Float32Array.from(all), [all.length / columns, columns]) };
    },
  };
}

/** A digest of the bytes of each tensor, to detect writes in place. */
export function bytesOf(inputs: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, tensor]) => {
      if (!(tensor instanceof Tensor)) return [];
      const { buffer, byteOffset, byteLength } = tensor.data as Float32Array;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return [[name, createHash('sha256').update(bytes).digest('hex')]];
    }),
  );
}

/** Inputs of single prompts as one batch, padded as the family's tokenizer does. */
export function padded(rows: readonly ModelInputs[], side: 'left' | 'right'): ModelInputs {
  const width = Math.max(...rows.map((row) => row.input_ids?.dims[1] as number));
  const batch: ModelInputs = {};
  for (const [name, first] of Object.entries(rows[0] as ModelInputs)) {
    if (!(first instanceof Tensor)) continue;
    const tensors = rows.map((row) => row[name] as Tensor);
    const isText = first.dims.length === 2 && first.dims[1] === rows[0]?.input_ids?.dims[1];
    if (isText) {
      const data = tensors.flatMap((tensor) => {
        const values = Array.from(tensor.data as BigInt64Array, BigInt);
        const fill = new Array<bigint>(width - values.length).fill(0n);
        return side === 'left' ? [...fill, ...values] : [...values, ...fill];
      });
      const typed = first.type === 'bool' ? Uint8Array.from(data, Number) : BigInt64Array.from(data);
      batch[name] = new Tensor(first.type, typed, [rows.length, width]);
    } else {
      const data = tensors.map((tensor) => tensor.data as Float32Array);
      const all = new (first.data.constructor as Float32ArrayConstructor)(
        data.reduce((sum, one) => sum + one.length, 0),
      );
      let at = 0;
      for (const one of data) {
        all.set(one, at);
        at += one.length;
      }
      const images = tensors.reduce((sum, { dims }) => sum + (dims[0] as number), 0);
      batch[name] = new Tensor(first.type, all, [images, ...first.dims.slice(1)]);
    }
  }
  return batch;
}
