import type { RawImage } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { type Answerer, agentFrom } from './agent.js';

const image = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 } as unknown as RawImage;

describe('agentFrom', () => {
  it('accepts any function, sync or async', async () => {
    const captioner = agentFrom(() => ' A yellow umbrella. ', { answerWeight: 2 });
    expect(await captioner(image, 'What is the man holding?')).toMatchObject({
      answer: 'A yellow umbrella.',
      added: ['yellow', 'umbrella'],
      text: 'What is the man holding?\nyellow umbrella',
      weight: 2,
      reason: 'enriched',
    });
    const remote = agentFrom(async (_, question) => `about ${question}`);
    expect((await remote(image, 'cats')).added).toEqual(['about']);
  });

  it('accepts empty answers', async () => {
    expect(await agentFrom(() => ' ')(image, 'A cat?')).toMatchObject({
      answer: '',
      added: [],
      text: 'A cat?',
      reason: 'emptyAnswer',
    });
  });

  it('caps very long answers', async () => {
    const words = Array.from({ length: 5000 }, (_, i) => `word${i}`);
    const { added, answer } = await agentFrom(() => words.join(' '))(image, 'Describe.');
    expect(added).toEqual(words.slice(0, 16));
    expect(answer).toHaveLength(words.join(' ').length);
  });

  it('rejects with what the function throws', async () => {
    const agent = agentFrom(() => {
      throw new Error('out of memory');
    });
    await expect(agent(image, 'A cat?')).rejects.toThrow('out of memory');
  });

  it('passes the signal, and rejects with its reason even if the function ignores it', async () => {
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const agent = agentFrom((_image, _question, call) => {
      seen = call.signal;
      controller.abort(new Error('enough'));
      return 'a cat';
    });
    await expect(agent(image, 'What?', { signal: controller.signal })).rejects.toThrow('enough');
    expect(seen).toBe(controller.signal);
    await expect(agent(image, 'What?', { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('rejects what cannot be an agent', async () => {
    expect(() => agentFrom('a cat' as unknown as Answerer)).toThrow(/function/);
    expect(() => agentFrom(() => '', { maxWords: -1 })).toThrow(/maxWords/);
    await expect(agentFrom((() => 7) as unknown as Answerer)(image, 'What?')).rejects.toThrow(/answer/);
  });
});
