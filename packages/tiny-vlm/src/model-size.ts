// The models of this package, and the folders within it that they lie in.
import { TinyVlmError } from './tiny-vlm-error.js';

/** The models of this package. */
export type ModelSize = 'base' | 'small' | 'tiled';

/** The folder of each model. */
export const modelFolders: Readonly<Record<ModelSize, string>> = {
  base: 'model',
  small: 'model-small',
  tiled: 'model-tiled',
};

/** What questions about the scenes of a model are kept in: the tiled one has scenes of its own. */
export function questionFolder(name: 'samples' | 'heldout', size: ModelSize): string {
  return folderOf(size) === modelFolders.tiled ? `${name}-tiled` : name;
}

/**
 * The folder of a model.
 * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` for a size that there is not.
 */
export function folderOf(size: ModelSize): string {
  if (Object.hasOwn(modelFolders, size)) return modelFolders[size];
  throw new TinyVlmError(
    'MMTOK_INVALID_OPTIONS',
    `Expected one of ${Object.keys(modelFolders).join(', ')} as the size of the model, got '${size}'`,
  );
}
