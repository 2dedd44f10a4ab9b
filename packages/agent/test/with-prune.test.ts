// Agents of this package as an option of @mmtok/transformers, on the embedded model, with its smaller sibling as the agent.

import { RawImage } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { modelPath, samples, smallModelPath } from '@mmtok/tiny-vlm';
import { loadVlm, prune } from '@mmtok/transformers';
import { expect, it } from 'vitest';
import { type Agent, agentFrom, createAgent } from '../src/index.js';

it('guides the selection, for any kind of agent', async () => {
  const { model, processor } = await loadVlm(modelPath);
  const backend = createReferenceBackend();
  const handle = prune(model, { processor, backend, budget: { tokens: 8 } });
  // Any shape that the agent answers is a word with visual meaning.
  const sample = (await samples()).find(({ kind }) => kind === 'shape');
  const { image: path, question } = sample!;
  const image = await RawImage.read(path);
  const content = [{ type: 'image' as const }, { type: 'text' as const, text: question }];
  const prompt = processor.apply_chat_template([{ role: 'user', content }], {
    tokenize: false,
    add_generation_prompt: true,
  });
  const inputs: Record<string, unknown> = await processor(image, prompt);
  const loaded = await createAgent({ model: smallModelPath, enrichment: { answerWeight: 2 } });
  const captioner = agentFrom(() => 'a red ring', { answerWeight: 0.5 });
  const failing = agentFrom(() => {
    throw new Error('out of memory');
  });
  const added = async (agent: Agent) => {
    await handle.generate({ ...inputs, max_new_tokens: 1, mmtok: { agent, images: [image] } });
    return handle.lastReport?.prompts[0];
  };

  const { answer } = await loaded(image, question);
  const first = await added(loaded);
  expect(first?.agent).toMatchObject({ state: 'enriched', answers: [answer], added: [answer] });
  expect(first?.question?.weights?.at(-1)).toBe(2);
  expect((await added(captioner))?.question?.weights?.slice(-2)).toEqual([0.5, 0.5]);
  expect((await added(failing))?.agent).toMatchObject({ state: 'failed', problem: 'out of memory' });
  handle.restore();
  await loaded.dispose();
  await model.dispose();
});
