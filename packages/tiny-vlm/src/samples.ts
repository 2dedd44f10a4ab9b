// A few questions for demos. To measure the model, see held-out.ts.
import { files } from '#files';
import { parseLines } from './files.js';
import { type ModelSize, questionFolder } from './model-size.js';
import type { VisualQuestion } from './visual-question.js';

/** Where the package's files are. */
export interface SamplesOptions {
  /** The model whose scenes to use: the tiled model has its own samples, the others share them. @default 'base' */
  readonly size?: ModelSize;
  /** In browsers: the URL where this package's folder `samples` is served. Ignored in Node. */
  readonly baseUrl?: string | URL;
}

/**
 * A few questions for demos, about a few scenes. `image` is a path in Node, a URL in browsers.
 *
 * They were chosen because the model answers them correctly with all vision tokens, so they do not measure its
 * accuracy.
 *
 * @throws TinyVlmError `MMTOK_QUESTIONS_MISSING` if the files are missing; `MMTOK_INVALID_OPTIONS` in browsers without a
 * `baseUrl`.
 */
export async function samples({ size = 'base', baseUrl }: SamplesOptions = {}): Promise<VisualQuestion[]> {
  const folder = questionFolder('samples', size);
  const text = await files.readText(`${folder}/questions.jsonl`, baseUrl);
  return parseLines<VisualQuestion>(text).map((question) => ({
    ...question,
    image: files.locate(`${folder}/${question.image}`, baseUrl),
  }));
}
