// Checks the texts of a request before anything is encoded: they must fit into the model's context, and must not contain the
// tokens that stand for images in its prompts.

import { BadRequestError, LimitError } from '../errors.js';
import type { ChatBody, ChatMessage } from './chat.js';

/** What a model's files say about its prompts. What is missing is not checked. */
export interface PromptRules {
  /** The model's configuration, as in its config.json. */
  readonly config?: object | undefined;
  readonly tokenizer?:
    | {
        encode(text: string, options: { readonly add_special_tokens: boolean }): readonly number[];
        decode(ids: number[], options: { readonly skip_special_tokens: boolean }): string;
      }
    | undefined;
}

/** Checks a request's texts. Throws BadRequestError or LimitError, with the message at fault as `param`. */
export type PromptCheck = (body: Pick<ChatBody, 'messages'>) => void;

/**
 * A check against a model's rules. Only texts are counted, so a prompt that fits always passes. Without this bound, a single
 * long text could fill the memory: attention scores grow with the square of the prompt's length.
 */
export function createPromptCheck({ config = {}, tokenizer }: PromptRules): PromptCheck {
  if (tokenizer === undefined) return () => undefined;
  const outer = config as Readonly<Record<string, unknown>>;
  const inner = (outer.text_config ?? {}) as Readonly<Record<string, unknown>>;
  const context = Number(
    inner.max_position_embeddings ?? outer.max_position_embeddings ?? Number.POSITIVE_INFINITY,
  );
  const placeholders = ['image_token_index', 'image_token_id', 'video_token_id']
    .map((name) => outer[name])
    .filter((id): id is number => typeof id === 'number' && id >= 0)
    .map((id) => tokenizer.decode([id], { skip_special_tokens: false }).trim())
    .filter((token) => token !== '');
  const checkText = (text: string, param: string | undefined): void => {
    const found = placeholders.find((token) => text.includes(token));
    if (found === undefined) return;
    throw new BadRequestError(
      `The text contains ${found}, which stands for an image in this model's prompts. Leave it out, and send images as image_url.`,
      { param },
    );
  };

  return ({ messages, ...fields }) => {
    let tokens = 0;
    for (const [index, { content, ...others }] of messages.entries()) {
      const param = `messages[${index}]`;
      const text = textOf(content);
      checkText(text, param);
      // Templates also show other fields, such as calls of tools.
      checkText(JSON.stringify(others), param);
      tokens += tokenizer.encode(text, { add_special_tokens: false }).length;
      if (tokens > context) {
        throw new LimitError(`The texts are longer than this model's context of ${context} tokens.`, {
          param,
        });
      }
    }
    checkText(JSON.stringify(fields), undefined);
  };
}

/** The texts of a message in one piece, as templates show them: a placeholder may be split over two parts. */
function textOf(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? [])
    .map((part) => (part.type === 'text' ? part.text : part.type === 'refusal' ? part.refusal : ''))
    .join('');
}
