// Where the weights lie on disk. Nothing is read here.
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the model folder, laid out as transformers.js expects it (configs, tokenizer, `onnx/*.onnx` in fp32).
 *
 * Pass it to any `from_pretrained` of transformers.js with `{ local_files_only: true }`; no global needs to change.
 */
export const modelPath: string = fileURLToPath(new URL('../model', import.meta.url));
