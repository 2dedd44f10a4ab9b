// SmolVLM2's chat template, and the prompt that it renders for an image and a question.

/** The template of the family's tokenizer_config.json. */
export const SMOLVLM2_TEMPLATE: string = [
  '<|im_start|>{% for message in messages %}{{message["role"] | capitalize}}',
  '{% if message["content"][0]["type"] == "image" %}{{":"}}{% else %}{{": "}}{% endif %}',
  '{% for line in message["content"] %}{% if line["type"] == "text" %}{{line["text"]}}',
  '{% elif line["type"] == "image" %}{{ "<image>" }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}',
  '{% if add_generation_prompt %}{{ "Assistant:" }}{% endif %}',
].join('');

/** The prompt as text, before the image's placeholder is expanded. */
const smolvlm2Prompt = (question: string): string =>
  `<|im_start|>User:<image>${question}<end_of_utterance>\nAssistant:`;

/** The same as the processor passes it to the tokenizer, for an image that is one tile of `tokens` tokens. */
export const smolvlm2Expanded = (question: string, tokens: number): string =>
  smolvlm2Prompt(question).replace(
    '<image>',
    `<fake_token_around_image><global-img>${'<image>'.repeat(tokens)}<fake_token_around_image>`,
  );
