// Let something small answer first, and let its words guide what the model keeps. Here a function stands in; it may be a
// captioner, an OCR engine, or a small model: createAgent() of @mmtok/agent loads one.

import { RawImage } from '@huggingface/transformers';
import { agentFrom } from '@mmtok/agent';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

const { model, processor, ask } = await loadTinyVlm();
const backend = await createOrtBackend();
const agent = agentFrom(() => 'Mostly triangles on white.');

// 'auto' asks only where no word of the question points at a place. Six tokens of 576 are few: an agent is for that.
const handle = prune(model, {
  processor,
  backend,
  budget: { tokens: 6 },
  agent: { ask: agent, when: 'auto' },
});
const questions = await samples();
const vague = questions.findLast(({ kind }) => kind === 'description'); // 'Describe the image.'
const pointed = questions.find(({ kind, image }) => kind === 'shape' && image === vague?.image);
for (const { image, question } of [vague, pointed].flatMap((sample) => sample ?? [])) {
  const images = [await RawImage.read(image)];
  const alone = await ask(image, question, { mmtok: { images, agent: false } });
  const answer = await ask(image, question, { mmtok: { images } });
  const { state, added } = handle.lastSelection?.rows[0]?.agent ?? {};
  console.log(
    `${question} Alone: ${alone}. After the agent (${state}, ${added?.join(' ') || 'nothing'} added): ${answer}.`,
  );
}

handle.detach();
await backend.dispose();
