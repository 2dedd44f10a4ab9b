// The location of each model's weights on disk. Node only.
import { files } from '#files';
import { modelFolders } from './model-size.js';

/**
 * Absolute path of the model folder, laid out as transformers.js expects it (configs, tokenizer, `onnx/*.onnx`).
 *
 * Pass it to any `from_pretrained` of transformers.js with `{ local_files_only: true }`. No global setting needs to change.
 */
export const modelPath: string = files.modelSource(modelFolders.base, undefined);

/**
 * Absolute path of the folder of the smaller model: a third of the resolution, a ninth of the vision tokens. It sees less detail but
 * takes a fraction of the time, so it can be the agent that answers first.
 */
export const smallModelPath: string = files.modelSource(modelFolders.small, undefined);

/** Absolute path of the folder of the tiled model, for `Idefics3ForConditionalGeneration`: an overview and up to 4 × 4 tiles. */
export const tiledModelPath: string = files.modelSource(modelFolders.tiled, undefined);
