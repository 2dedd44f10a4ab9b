// Reads the package's own files of JSON lines: questions and scenes. They are written by training/tiny_vlm, not by users,
// so their content is not checked.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TinyVlmError } from './tiny-vlm-error.js';

/** @throws TinyVlmError `MMTOK_QUESTIONS_MISSING` when a file that comes with the package is not there. */
export async function readPackageText(file: URL): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TinyVlmError(
      'MMTOK_QUESTIONS_MISSING',
      `Found no file '${fileURLToPath(file)}', which comes with @mmtok/tiny-vlm. Install the package anew.`,
      { cause },
    );
  }
}

/** The values of a text that has one in JSON on each line. */
export function parseLines<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
