// How users call processors: the order of arguments differs, and some families have no processor.
import type { Family, ModelInputs, Request, Tools } from './family.js';

/** Calls a processor that takes images before text. */
export async function imagesFirst({ processor }: Tools, { prompt, images }: Request): Promise<ModelInputs> {
  return processor([...images], prompt);
}

/** Calls a processor that takes text before images. */
export async function textFirst({ processor }: Tools, { prompt, images }: Request): Promise<ModelInputs> {
  return processor(prompt, [...images]);
}

/** For families without a processor of their own: the user repeats the placeholder and tokenizes apart. */
export function tokenizedApart(imageToken: string, tokensPerImage: number): Family['process'] {
  return async ({ processor, tokenizer }, { prompt, images }) => ({
    ...tokenizer(prompt.replaceAll(imageToken, imageToken.repeat(tokensPerImage))),
    ...(await processor([...images])),
  });
}
