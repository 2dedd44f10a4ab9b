// Loads a model by what the command line calls it, verifies it, and frees it.

import type { VerifyProgress, VerifyReport } from '@mmtok/transformers/verify';
import type { Io } from '../terminal/io.js';
import { loadLibraryModel } from './load.js';
import type { VlmOptions } from './vlm.js';

/** What to verify. */
export interface VerifyRequest extends Pick<VlmOptions, 'model' | 'device' | 'dtype' | 'promptTemplate'> {
  /** The share of vision tokens to keep. */
  readonly ratio?: number;
  /** Length of the answers, in tokens. */
  readonly newTokens?: number;
  /** Timed calls per row. */
  readonly repeats?: number;
}

/** Verifies models. */
export type VerifyModel = (
  request: VerifyRequest,
  io: Io,
  onProgress: (progress: VerifyProgress) => void,
) => Promise<VerifyReport>;

/**
 * Verifies a model.
 * @throws what loading throws, and InvalidOptionsError for numbers out of range.
 */
export const verifyModel: VerifyModel = async (request, io, onProgress) => {
  const { promptTemplate, ratio, newTokens, repeats } = request;
  const [{ loaded }, { verifyVlm }] = await Promise.all([
    loadLibraryModel(request, io),
    import('@mmtok/transformers/verify'),
  ]);
  try {
    return await verifyVlm(loaded, {
      ...(promptTemplate !== undefined && { template: promptTemplate }),
      ...(ratio !== undefined && { ratio }),
      ...(newTokens !== undefined && { newTokens }),
      ...(repeats !== undefined && { repeats }),
      onProgress,
    });
  } finally {
    await loaded.model.dispose();
  }
};
