// Let something small answer first, and let its words guide what the model keeps. Here a function stands in; it may be a
// captioner, an OCR engine, or a small model: createAgent() of @mmtok/agent loads one.

import { RawImage } from '@huggingface/transformers';
import { agentFrom } from '@mmtok/agent';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

const { model, processor, ask } = await loadTinyVlm();
const backend = await createOrtBackend();
const agent = agentFrom(() => 'A cyan triangle.');

// 'auto' asks only where no word of the question points at a place.
const handle = prune(model, {
  processor,
  backend,
  budget: { tokens: 8 },
  agent: { ask: agent, when: 'auto' },
});
const sample = (await samples()).find(({ kind }) => kind === 'shape'); // e.g. 'What shape is the cyan object?'
const { image: path, question: pointed } = sample ?? { image: '', question: '' };
const images = [await RawImage.read(path)];
for (const question of ['What is in the picture?', pointed]) {
  const answer = await ask(path, question, { mmtok: { images } });
  const { state, added } = handle.lastSelection?.rows[0]?.agent ?? {};
  console.log(`${question} ${answer} (the agent: ${state}, ${added?.join(' ') || 'nothing'} added)`);
}

handle.detach();
await backend.dispose();
