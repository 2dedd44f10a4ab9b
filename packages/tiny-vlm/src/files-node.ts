// The package's files in Node: on disk, next to the code.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { STOP_SPINNING } from '@mmtok/core/internal';
import type { PackageFiles } from './files.js';
import { TinyVlmError } from './tiny-vlm-error.js';

const locate = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The implementation of `#files` for Node. */
export const files: PackageFiles = {
  locate,
  modelSource: locate,
  sessionOptions: STOP_SPINNING,
  async readText(path) {
    const file = locate(path);
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      throw new TinyVlmError('MMTOK_QUESTIONS_MISSING', `The file '${file}' of @mmtok/tiny-vlm is missing`, {
        hint: 'Reinstall the package.',
        cause,
      });
    }
  },
};
