// Loads transformers.js, an optional peer, when it is first needed: the path and the questions work without it.
import { TinyVlmError } from './tiny-vlm-error.js';

type TransformersLibrary = typeof import('@huggingface/transformers');

/**
 * Imports transformers.js.
 * @throws TinyVlmError `MMTOK_TRANSFORMERS_MISSING` when it is not installed. Any other failure to load passes through.
 */
export async function importTransformers(
  importLibrary: () => Promise<TransformersLibrary> = () => import('@huggingface/transformers'),
): Promise<TransformersLibrary> {
  try {
    return await importLibrary();
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause;
    throw new TinyVlmError(
      'MMTOK_TRANSFORMERS_MISSING',
      "loadTinyVlm() needs the package '@huggingface/transformers' (version 4.3 or later), which is not installed. " +
        'Install it beside @mmtok/tiny-vlm: npm install @huggingface/transformers',
      { cause },
    );
  }
}

/** Whether Node found no transformers.js at all, rather than a broken one. */
function isMissingPackage(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes("'@huggingface/transformers'");
}
