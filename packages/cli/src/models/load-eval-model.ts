// Loads the model of an evaluation by what the command line calls it.

import type { Io } from '../terminal/io.js';
import type { EvalVlmModel } from './eval-model.js';
import { loadLibraryModel } from './load.js';
import type { VlmOptions } from './vlm.js';

/** Loads models for evaluations; errors as of `loadVlm`. */
export type LoadEvalModel = (options: Omit<VlmOptions, 'backend'>, io: Io) => Promise<EvalVlmModel>;

/** Loads a model of transformers.js. */
export const loadEvalModel: LoadEvalModel = async (options, io) => {
  const [model, { EvalVlm }] = await Promise.all([loadLibraryModel(options, io), import('./eval-model.js')]);
  return new EvalVlm(model, options);
};
