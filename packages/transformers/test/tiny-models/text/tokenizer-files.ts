// tokenizer.json and tokenizer_config.json of a tiny model: whole words, split at spaces and punctuation; not trained.
import { BOS, EOS, PAD, UNKNOWN, vocabulary } from './vocabulary.js';

export interface TokenizerOptions {
  readonly specialTokens: readonly string[];
  /** A template, or several by name. */
  readonly chatTemplate?: string | readonly { readonly name: string; readonly template: string }[];
  /** Further keys of tokenizer_config.json, such as the names of image tokens. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The files by name, as values for JSON. */
export function tokenizerFiles({ specialTokens, chatTemplate, config = {} }: TokenizerOptions): {
  readonly 'tokenizer.json': unknown;
  readonly 'tokenizer_config.json': unknown;
} {
  const tokens = vocabulary(specialTokens);
  const added = [PAD, EOS, BOS, UNKNOWN, ...specialTokens].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: null,
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: UNKNOWN,
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: BOS,
      eos_token: EOS,
      pad_token: PAD,
      unk_token: UNKNOWN,
      padding_side: 'left',
      model_max_length: 4096,
      ...(chatTemplate !== undefined && { chat_template: chatTemplate }),
      ...config,
    },
  };
}
