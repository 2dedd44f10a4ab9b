// Where the weights of either model lie on disk. Nothing is read here.
import { fileURLToPath } from 'node:url';
import { TinyVlmError } from './tiny-vlm-error.js';

/** The models of this package. */
export type ModelSize = 'base' | 'small';

/**
 * Absolute path of the model folder, laid out as transformers.js expects it (configs, tokenizer, `onnx/*.onnx`).
 *
 * Pass it to any `from_pretrained` of transformers.js with `{ local_files_only: true }`; no global needs to change.
 */
export const modelPath: string = fileURLToPath(new URL('../model', import.meta.url));

/**
 * Absolute path of the folder of the smaller model: half the resolution, a quarter of the vision tokens. It sees less, and
 * costs a fraction, so it can be the agent that answers before the other.
 */
export const smallModelPath: string = fileURLToPath(new URL('../model-small', import.meta.url));

const paths: Readonly<Record<ModelSize, string>> = { base: modelPath, small: smallModelPath };

/**
 * The folder of a model.
 * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` for a size that there is not.
 */
export function pathOf(size: ModelSize): string {
  if (Object.hasOwn(paths, size)) return paths[size];
  throw new TinyVlmError(
    'MMTOK_INVALID_OPTIONS',
    `loadTinyVlm() was given the size '${size}': expected one of ${Object.keys(paths).join(', ')}.`,
  );
}
