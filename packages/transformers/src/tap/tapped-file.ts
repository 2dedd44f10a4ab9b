// Reads a vision encoder's file and appends the outputs that expose the projector's input. Writes nothing.

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appendGraphOutput, OnnxFormatError, OnnxModelError, readGraph } from '@mmtok/onnx';
import { VisionFeaturesError } from '../errors/vision-features-error.js';
import { findProjectorInput, type ProjectorInput } from './find-projector-input.js';

/** A model file in memory with further outputs, and the session options that let it find its external data. */
export interface TappedFile {
  readonly bytes: Uint8Array;
  readonly tap: ProjectorInput;
  readonly sessionOptions: { readonly extra: { readonly session: Readonly<Record<string, string>> } };
}

/** The output of vision encoders that transformers.js reads. */
const OUTPUT = 'image_features';

/**
 * Reads and taps a file.
 * @param tensor the name of the tensor to expose; by default the projector's input is looked for.
 * @throws VisionFeaturesError if the file cannot be read, is no ONNX model, or the tensor is not to be found in it.
 */
export async function tapFile(file: string, tensor: string | undefined): Promise<TappedFile> {
  const original = await readFile(file).catch((cause: unknown) => {
    throw new VisionFeaturesError(`the file ${file} cannot be read: ${messageOf(cause)}`);
  });
  try {
    const tap = tensor === undefined ? findProjectorInput(readGraph(original), OUTPUT) : { features: tensor };
    if (tap === undefined) {
      throw new VisionFeaturesError(
        `no projector was found in ${file}; name the tensor that goes into it (tap: { tensor })`,
      );
    }
    const names = [tap.features, ...(tap.order === undefined ? [] : [tap.order])];
    const bytes = names.reduce<Uint8Array>(appendGraphOutput, original);
    // In ONNX Runtime's JavaScript API this spells the option `session.model_external_initializers_file_folder_path`.
    const session = { model_external_initializers_file_folder_path: dirname(file) };
    return { bytes, tap, sessionOptions: { extra: { session } } };
  } catch (cause) {
    if (!OnnxFormatError.isInstance(cause) && !OnnxModelError.isInstance(cause)) throw cause;
    throw new VisionFeaturesError(`${file}: ${messageOf(cause)}`);
  }
}

/** The message of an error, to go on in a sentence. */
function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
