// The models of this package, and the folders within it that they lie in.
import { TinyVlmError } from './tiny-vlm-error.js';

/** The models of this package. */
export type ModelSize = 'base' | 'small';

/** The folder of each model. */
export const modelFolders: Readonly<Record<ModelSize, string>> = { base: 'model', small: 'model-small' };

/**
 * The folder of a model.
 * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` for a size that there is not.
 */
export function folderOf(size: ModelSize): string {
  if (Object.hasOwn(modelFolders, size)) return modelFolders[size];
  throw new TinyVlmError(
    'MMTOK_INVALID_OPTIONS',
    `loadTinyVlm() was given the size '${size}': expected one of ${Object.keys(modelFolders).join(', ')}`,
  );
}
