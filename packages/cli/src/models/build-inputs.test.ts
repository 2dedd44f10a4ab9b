import { expect, it } from 'vitest';
import { buildInputs } from './build-inputs.js';

class Processor {}
class Own extends Processor {}
const types = Object.fromEntries(
  [
    'VLChatProcessor',
    'LlavaProcessor',
    'PixtralProcessor',
    'PaliGemmaProcessor',
    'Lfm2VlProcessor',
    'Florence2Processor',
    'Qwen2VLProcessor',
  ].map((name) => [name, class extends Processor {}]),
);

it('puts the question into a template as it is', async () => {
  const prompts: string[] = [];
  const processor = Object.setPrototypeOf((prompt: string) => {
    prompts.push(prompt);
    return {};
  }, Own.prototype);
  const library = { Processor, ...types } as unknown as Parameters<typeof buildInputs>[0];
  const question = "Does it say $$, $& or $'?";
  await buildInputs(library, processor, [], question, '<image> {question} {question}');
  expect(prompts).toEqual([`<image> ${question} ${question}`]);
});
