// Runs one of a model's ONNX sessions and hands back all its outputs, where the model's own methods return only one.

import type { ModelInputs, ModelLike, TensorLike } from './types.js';
import { isTensor } from './types.js';

/**
 * Feeds a session whatever of `inputs` it asks for.
 * @param like any tensor of the caller's transformers.js, for the class of the results.
 */
export async function runSession(
  model: ModelLike,
  name: string,
  inputs: ModelInputs,
  like: TensorLike,
): Promise<Record<string, TensorLike>> {
  const session = model.sessions[name];
  if (session === undefined) throw new Error(`the model has no session '${name}'`);
  const feeds: Record<string, unknown> = {};
  for (const input of session.inputNames) {
    const value = inputs[input];
    if (!isTensor(value)) throw new Error(`session '${name}' needs the input '${input}'`);
    feeds[input] = value.ort_tensor ?? value;
  }
  const outputs = await session.run(feeds);
  const Tensor = like.constructor as new (tensor: unknown) => TensorLike;
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, new Tensor(value)]));
}
