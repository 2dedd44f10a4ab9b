// Pruning for encoder-decoders: the encoder's input is built from fewer vision tokens. The decoder is left alone.

import { int64Matrix, toRows } from '../upstream/tensors.js';
import { type ModelInputs, type TensorLike, tensorAt } from '../upstream/types.js';
import { encodeImages, imageInputsOf } from './encode.js';
import { prunedPrefill, wholeReport } from './prefill.js';
import type { PruneCall } from './prune-call.js';
import { VISION_COLUMNS } from './routes/florence2-route.js';
import type { Site } from './site.js';

/**
 * The encoder's `inputs_embeds` and `attention_mask`, with the kept vision tokens before the text.
 * @param whole makes them with all vision tokens.
 */
export async function prunedEncoderInputs(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
  whole: (inputs: ModelInputs) => Promise<ModelInputs>,
): Promise<ModelInputs> {
  const text = tensorAt(inputs, 'input_ids');
  if (text === undefined || inputs.pixel_values == null || call.isOff) {
    const started = performance.now();
    const embeddings = await whole(inputs);
    call.report = wholeReport({
      reason: call.isOff ? 'disabled' : 'noImage',
      slots: 0,
      lengths: text === undefined ? [] : toRows('input_ids', text).map((row) => row.length),
      positions: 'compact',
      prefillMs: performance.now() - started,
    });
    return embeddings;
  }
  const started = performance.now();
  const { entry, hit } = await encodeImages(site, call, inputs);
  const encodeMs = hit ? 0 : performance.now() - started;
  const columns = entry.encoded.projected.dims.at(-2) as number;
  call.keptVision = { entry, imageInputs: imageInputsOf(site, inputs) };

  const before = (tensor: TensorLike, name: string, fill: number): TensorLike =>
    int64Matrix(
      text,
      toRows(name, tensor).map((row) => [...new Array<number>(columns).fill(fill), ...row]),
    );
  const mask = tensorAt(inputs, 'attention_mask');
  const virtual: ModelInputs = {
    input_ids: before(text, 'input_ids', 0),
    ...(mask && { attention_mask: before(mask, 'attention_mask', 1) }),
    [VISION_COLUMNS]: columns,
  };
  const { inputs_embeds, attention_mask } = await prunedPrefill(site, call, virtual, async (prompt) => ({
    ...(prompt as Record<string, TensorLike>),
  }));
  if (call.report !== undefined) {
    call.report = { ...call.report, timings: { ...call.report.timings, encodeMs } };
  }
  return { inputs_embeds, attention_mask };
}
