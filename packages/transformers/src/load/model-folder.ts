// Checks that a local folder holds a model that transformers.js can load, before it tries and fails in its own words.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { ModelLoadError } from '../errors/model-load-error.js';

/** Whether a source is meant as a path rather than as a hub id (`owner/name`). */
function looksLikePath(source: string): boolean {
  return isAbsolute(source) || /^\.{0,2}[\\/]|^\.{1,2}$|\\|^~/.test(source) || source.split('/').length > 2;
}

/**
 * The absolute path of a model folder; nothing for a hub id.
 * @throws ModelLoadError if the source is a path that is no folder of a model, naming what is missing.
 */
export function modelFolder(source: string): string | undefined {
  const path = resolve(source);
  if (!existsSync(path)) {
    if (!looksLikePath(source)) return undefined;
    throw new ModelLoadError(
      source,
      `there is no folder ${path}; give an existing folder or a hub id such as owner/name`,
    );
  }
  if (!statSync(path).isDirectory()) {
    throw new ModelLoadError(source, 'it is a file; give the folder that holds config.json and onnx/');
  }
  const missing = [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'preprocessor_config.json',
  ].filter((file) => !existsSync(join(path, file)));
  const onnx = join(path, 'onnx');
  if (!existsSync(onnx) || !readdirSync(onnx).some((file) => file.endsWith('.onnx')))
    missing.push('onnx/*.onnx');
  if (missing.length > 0) {
    throw new ModelLoadError(
      source,
      `the folder lacks ${missing.join(', ')}; it must have the layout of a transformers.js model, e.g. a copy of one of onnx-community's repositories`,
    );
  }
  return path;
}
