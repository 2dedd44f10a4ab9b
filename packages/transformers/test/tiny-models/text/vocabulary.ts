// The 64 tokens of a tiny model: four common special tokens, those of the family, then words.
import { VOCABULARY } from '../dimensions.js';

export const PAD = '<pad>';
export const EOS = '<eos>';
export const BOS = '<bos>';
export const UNKNOWN = '<unk>';
export const PAD_ID = 0;
export const EOS_ID = 1;
export const BOS_ID = 2;

/** No special token has this id or a higher one. */
export const FIRST_WORD_ID = 28;

const WORDS: readonly string[] =
  'user assistant system question answer describe what where who how many is are the a in on of and not yes no image red blue green cat dog car tree'.split(
    ' ',
  );
const SIGNS: readonly string[] = ['?', '.', ':', ',', '!'];

/** The tokens of a model in the order of their ids. */
export function vocabulary(specialTokens: readonly string[]): string[] {
  const special = [PAD, EOS, BOS, UNKNOWN, ...specialTokens];
  if (special.length > FIRST_WORD_ID) {
    throw new Error(
      `A tiny model has room for ${FIRST_WORD_ID - 4} special tokens of its family, but got ${specialTokens.length}. ` +
        'Allow fewer tiles or raise FIRST_WORD_ID.',
    );
  }
  const words = [...SIGNS, ...WORDS];
  const unused = Array.from({ length: FIRST_WORD_ID - special.length }, (_, i) => `<unused_${i}>`);
  const tokens = [...special, ...unused, ...words];
  return [...tokens, ...Array.from({ length: VOCABULARY - tokens.length }, (_, i) => `word${i}`)];
}
