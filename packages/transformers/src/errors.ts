// The typed errors of @mmtok/transformers. Each has a stable `code`. Catch them with MmtokError.isInstance(error, code).

import { MmtokError } from '@mmtok/core';

/** The model is already pruned. Code `MMTOK_ALREADY_PRUNED`. */
export class AlreadyPrunedError extends MmtokError {
  constructor() {
    super('MMTOK_ALREADY_PRUNED', 'This model is already pruned', {
      hint: 'Call restore() on the handle of the first prune(), or override options per call with generate({ ..., mmtok: { ... } }).',
    });
  }
}

/**
 * The model cannot be pruned because of its type, its export, or how it was loaded. It is left unchanged. Code `MMTOK_UNSUPPORTED_MODEL`.
 */
export class UnsupportedModelError extends MmtokError {
  /** `model_type` in the model's configuration, if present. */
  readonly modelType: string | undefined;

  constructor(modelType: string | undefined, reason: string) {
    const title = `The model${modelType === undefined ? '' : ` '${modelType}'`} cannot be pruned`;
    super('MMTOK_UNSUPPORTED_MODEL', reason, { title, kind: 'data' });
    this.modelType = modelType;
  }
}

/** The folder or hub id does not contain a vision-language model that transformers.js can load. Code `MMTOK_MODEL_LOAD`. */
export class ModelLoadError extends MmtokError {
  constructor(source: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_MODEL_LOAD', problem, {
      title: `Cannot load a model from '${source}'`,
      kind: 'data',
      ...options,
    });
  }
}

/**
 * Placeholders, vision features, mask, or cache do not match, so pruning would gather the wrong rows.
 * Code `MMTOK_PROMPT_MISMATCH`.
 */
export class PromptMismatchError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_PROMPT_MISMATCH', problem, { title: 'The prompt and the images do not match' });
  }
}

/** The requested vision features are not available or cannot be found in the model file. Code `MMTOK_VISION_FEATURES`. */
export class VisionFeaturesError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_VISION_FEATURES', problem, {
      title: 'The vision features are not available',
      kind: 'data',
    });
  }
}

/** The model does not support this question, message, or image. Code `MMTOK_INPUT`. */
export class InputError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_INPUT', problem, { title: 'The model cannot process this request', ...options });
  }
}
