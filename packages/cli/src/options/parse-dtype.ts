// Reads precisions: one for the whole model, or one for each of its parts. The library takes a name that it does not know
// for fp32 without a word, so names are checked here.

import type { DataType } from '@huggingface/transformers';
import { UsageError } from '../errors.js';

/** All of the library's; a record, so that the compiler finds one that is missing. */
const PRECISIONS: Readonly<Record<DataType, true>> = {
  auto: true,
  fp32: true,
  fp16: true,
  q8: true,
  int8: true,
  uint8: true,
  q4: true,
  bnb4: true,
  q4f16: true,
  q2: true,
  q2f16: true,
  q1: true,
  q1f16: true,
};

/** Files that transformers.js 4.3 makes models out of, where these take pictures and text; no model has them all. */
const PARTS: readonly string[] = [
  'vision_encoder',
  'embed_tokens',
  'decoder_model_merged',
  'encoder_model',
  'audio_encoder',
  'prepare_inputs_embeds',
  'model',
  'language_model',
  'lm_head',
  'gen_head',
  'gen_img_embeds',
  'image_decode',
];

/**
 * Reads `'q4'`, or `'vision_encoder=fp16,decoder_model_merged=q4'`.
 * @throws UsageError for anything else, with the names that there are.
 */
export function parseDtype(text: string): DataType | Readonly<Record<string, DataType>> {
  if (/^\w+$/.test(text)) return precision(text);
  const pairs = text.split(',').map((pair) => /^(\w+)=(\w+)$/.exec(pair.trim()));
  return Object.fromEntries(
    pairs.map((pair) => {
      if (pair === null) {
        throw new UsageError(
          `--dtype: expected a precision such as q4, or one per part such as vision_encoder=fp16,decoder_model_merged=q4, got '${text}'.`,
        );
      }
      const [, part = '', name = ''] = pair;
      if (!PARTS.includes(part)) {
        throw new UsageError(`--dtype: no model has a part '${part}'. Parts are ${PARTS.join(', ')}.`);
      }
      return [part, precision(name)];
    }),
  );
}

function precision(name: string): DataType {
  if (Object.hasOwn(PRECISIONS, name)) return name as DataType;
  throw new UsageError(
    `--dtype: there is no precision '${name}'. Precisions are ${Object.keys(PRECISIONS).join(', ')}.`,
  );
}
