// The end of every vision encoder: projected features as `image_features`, with marks or inner features on request.
import { HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { cast, concat, length, range, reshape, slice, unsqueeze } from '../graph/operators.js';

export interface VisionOptions {
  /** Whether the last feature of row i is the number i. */
  readonly markRows: boolean;
  /** Whether the features before the projector are an output `vision_features`. */
  readonly exposeVisionFeatures: boolean;
  /** Whether there is an output `vision_saliency` `[.., n]`, here of numbers from 0 to 1. */
  readonly exposeSaliency: boolean;
}

/** Writes the outputs of a vision encoder from the features before and after the projector. */
export function imageFeatures(
  g: GraphBuilder,
  { features, projected }: { readonly features: Value; readonly projected: Value },
  options: VisionOptions,
): void {
  g.output('image_features', options.markRows ? markRows(g, projected) : projected);
  if (options.exposeVisionFeatures) g.output('vision_features', features);
  if (options.exposeSaliency) g.output('vision_saliency', saliency(g, features));
}

/** The mean of each row, between 0 and 1. */
function saliency(g: GraphBuilder, features: Value): Value {
  const mean = g.op('ReduceMean', [features], { axes: { ints: [-1] }, keepdims: { int: 0 } });
  return g.op('Sigmoid', [mean]);
}

/** Replaces the last feature of `[.., HIDDEN]` by the number of the row, counted over all leading axes. */
export function markRows(g: GraphBuilder, features: Value): Value {
  const rows = reshape(g, features, [-1, HIDDEN]);
  const numbers = unsqueeze(g, cast(g, range(g, length(g, rows, 0)), 'float32'), [1]);
  const marked = concat(g, [slice(g, rows, 1, 0, HIDDEN - 1), numbers], 1);
  return g.op('Reshape', [marked, g.op('Shape', [features])]);
}
