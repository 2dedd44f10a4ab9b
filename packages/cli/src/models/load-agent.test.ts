import { createReferenceBackend } from '@mmtok/core';
import { samples, smallModelPath } from '@mmtok/tiny-vlm';
import { describe, expect, it } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { readImage } from '../images/read-image.js';
import { loadAgent, loadVlm } from './load.js';

describe('an agent', () => {
  it('answers before the model, and the report lists the added words', async () => {
    const agent = await loadAgent({ model: 'tiny' }, fakeIo());
    const vlm = await loadVlm({ model: 'tiny', backend: createReferenceBackend(), agent }, fakeIo());
    // The answer is a visual word.
    const sample = (await samples()).find(({ kind }) => kind === 'shape');
    const { image, question, answer } = sample!;
    const request = { images: [await readImage(image, '/')], question };
    const pruned = await vlm.ask({ ...request, budget: { tokens: 8 } });
    expect(pruned.agent).toEqual({ answers: [answer], added: [answer], ms: expect.any(Number) });
    expect(await vlm.ask({ ...request, budget: 'all' })).not.toHaveProperty('agent');
    await vlm.dispose();
    await agent.dispose();
  });

  it('may be the smaller embedded model', async () => {
    const agent = await loadAgent({ model: 'tiny-small' }, fakeIo());
    expect(agent.model).toBe(smallModelPath);
    await agent.dispose();
  });

  it('is rejected if its name is unknown', async () => {
    await expect(loadAgent({ model: 'no such model' }, fakeIo())).rejects.toThrow(
      /Unknown model 'no such model'/,
    );
  });
});
