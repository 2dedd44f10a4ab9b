// The models of this package, and their folders.
import { TinyVlmError } from './tiny-vlm-error.js';

/** The models of this package. */
export type ModelSize = 'base' | 'small' | 'tiled';

/** The folder of each model. */
export const modelFolders: Readonly<Record<ModelSize, string>> = {
  base: 'model',
  small: 'model-small',
  tiled: 'model-tiled',
};

/** The folder with questions about a model's scenes: the tiled model has its own scenes. */
export function questionFolder(name: 'samples' | 'heldout', size: ModelSize): string {
  return folderOf(size) === modelFolders.tiled ? `${name}-tiled` : name;
}

/**
 * The folder of a model.
 * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` for an unknown size.
 */
export function folderOf(size: ModelSize): string {
  if (Object.hasOwn(modelFolders, size)) return modelFolders[size];
  throw new TinyVlmError(
    'MMTOK_INVALID_OPTIONS',
    `Expected one of ${Object.keys(modelFolders).join(', ')} as the size of the model, got '${size}'`,
  );
}
