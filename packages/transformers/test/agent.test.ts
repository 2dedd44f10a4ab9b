// An agent that answers first: what it adds, when it is asked, and what happens when it fails. Stubs replace models.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawImage } from '@huggingface/transformers';
import { createReferenceBackend, MmtokError } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Agent, type CallOptions, type PruneHandle, type PruneOptions, prune } from '../src/index.js';
import { generate } from './support/reference.js';
import { buildTinyModel, type LoadedTinyModel, noiseImage, type TinyModel } from './tiny-models/index.js';

let directory: string;
let tiny: TinyModel;
let loaded: LoadedTinyModel;
let image: RawImage;
let handle: PruneHandle;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
  tiny = await buildTinyModel('smolvlm', { directory });
  loaded = await tiny.load();
  image = noiseImage(tiny.imageSize);
});
afterEach(() => handle?.restore());
afterAll(async () => {
  await loaded.dispose();
  await rm(directory, { recursive: true, force: true });
});

type Ask = { readonly question?: string; readonly count?: number; readonly mmtok?: CallOptions };

/** Asks a pruned model with an agent; returns the report. */
async function asked(agent: PruneOptions['agent'], { question, count = 1, mmtok }: Ask = {}) {
  handle = prune(loaded.model, {
    processor: loaded.processor,
    backend: createReferenceBackend(),
    budget: { tokens: 4 },
    minVisionTokens: 1,
    ...(agent && { agent }),
  });
  const images = Array.from({ length: count }, () => image);
  const inputs = await loaded.inputs(question ?? 'what is on the tree ?', images);
  await generate(loaded.model, { ...inputs, max_new_tokens: 1, mmtok: { images, ...mmtok } });
  return handle.lastReport!;
}

const says = (answer: string, more: object = {}) => vi.fn<Agent>(async () => ({ answer, ...more }));

describe('an agent', () => {
  it('adds the words of its answer to the question, and the report says which', async () => {
    const agent = says('a red car on the tree');
    const { prompts, timings, notes, images } = await asked(agent);
    expect(agent.mock.calls).toEqual([[image, 'what is on the tree?', { signal: expect.any(AbortSignal) }]]);
    expect(prompts[0]?.agent).toMatchObject({
      state: 'enriched',
      answers: ['a red car on the tree'],
      added: ['red', 'car'],
    });
    expect(prompts[0]?.question).toMatchObject({
      source: 'lastUserTurn',
      words: ['on', 'tree', 'red', 'car'],
    });
    expect(prompts[0]?.question?.ids).toHaveLength(4);
    expect(timings.agentMs).toBeGreaterThanOrEqual(0);
    expect(notes).toEqual([]);
    handle.restore();
    const plain = await asked(undefined, { mmtok: { question: 'on tree red car' } });
    expect(images[0]?.indices).toEqual(plain.images[0]?.indices);
    expect(plain.prompts[0]).not.toHaveProperty('agent');
    expect(plain.timings).not.toHaveProperty('agentMs');
  });

  it('may return the words and their weight', async () => {
    const { prompts } = await asked(says('whatever', { added: ['blue', 'dog'], weight: 0.5 }));
    expect(prompts[0]?.agent?.added).toEqual(['blue', 'dog']);
    expect(prompts[0]?.question).toMatchObject({
      words: ['on', 'tree', 'blue', 'dog'],
      weights: [1, 1, 0.5, 0.5],
    });
  });

  it('may weight the words of each image differently, and words with weight 0 are dropped', async () => {
    const replies = [
      { answer: 'a blue dog', weight: 0.5 },
      { answer: 'a dog and a car', weight: 3 },
      { answer: 'a cat', weight: 0 },
    ];
    const { prompts } = await asked(async () => replies.shift()!, { count: 3 });
    expect(prompts[0]?.question).toMatchObject({
      words: ['on', 'tree', 'blue', 'dog', 'car'],
      weights: [1, 1, 0.5, 0.5, 3],
    });
    handle.restore();
    const alone = await asked(says('a cat', { weight: 0 }), { mmtok: { question: '' } });
    expect(alone.prompts[0]).toMatchObject({
      agent: { state: 'nothingAdded', added: [], answers: ['a cat'] },
      question: { source: 'none' },
    });
  });

  it('sees every image of the call', async () => {
    const answers = ['a cat', 'a dog and a cat'];
    const agent = vi.fn<Agent>(async () => ({ answer: answers.shift() ?? '' }));
    const { prompts } = await asked(agent, { count: 2 });
    expect(prompts[0]?.agent).toMatchObject({ answers: ['a cat', 'a dog and a cat'], added: ['cat', 'dog'] });
  });

  it('replaces a missing question', async () => {
    const { prompts } = await asked(says('a cat'), { mmtok: { question: '' } });
    expect(prompts[0]?.question).toMatchObject({ source: 'agent', words: ['cat'] });
  });

  it('may have nothing to add, or not be needed', async () => {
    expect((await asked(says(' '))).prompts[0]?.agent).toMatchObject({ state: 'nothingAdded', added: [] });
    handle.restore();
    const agent = says('a cat');
    const { prompts } = await asked(agent, { mmtok: { questionTokens: { ids: [40] } } });
    expect(prompts[0]?.agent?.state).toBe('notAsked');
    handle.restore();
    expect((await asked(agent, { mmtok: { agent: false } })).prompts[0]).not.toHaveProperty('agent');
    handle.restore();
    await asked(agent, { mmtok: { budget: { ratio: 1 } } });
    expect(agent).not.toHaveBeenCalled();
  });

  it('can be replaced for a single call', async () => {
    const { prompts } = await asked(undefined, { mmtok: { agent: says('a cat') } });
    expect(prompts[0]?.agent?.added).toEqual(['cat']);
  });

  it('can be asked while the image is encoded', async () => {
    const order: string[] = [];
    const ask: Agent = async () => {
      order.push('agent');
      return { answer: 'a cat' };
    };
    const { vision_encoder: encoder } = loaded.model.sessions as Record<
      string,
      { run: (feeds: object) => unknown }
    >;
    const run = vi.spyOn(encoder!, 'run').mockImplementation(function (this: object, feeds) {
      order.push('encoder');
      run.mockRestore();
      return encoder!.run(feeds);
    });
    const { prompts } = await asked({ ask, parallel: true });
    expect(order).toEqual(['agent', 'encoder']);
    expect(prompts[0]?.agent?.state).toBe('enriched');
  });
});

describe('an agent that is asked early', () => {
  const waiting = () => {
    const signals: AbortSignal[] = [];
    const ask: Agent = (_image, _question, { signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    return { signals, agent: { ask, parallel: true, timeLimitMs: Infinity } };
  };

  it('is stopped if the call fails', async () => {
    const { signals, agent } = waiting();
    const { vision_encoder: encoder } = loaded.model.sessions as Record<string, { run: () => unknown }>;
    const run = vi.spyOn(encoder!, 'run').mockRejectedValue(new Error('out of memory'));
    await expect(asked(agent)).rejects.toThrow('out of memory');
    run.mockRestore();
    handle.restore();
    await expect(asked(agent, { mmtok: { images: [image, image] } })).rejects.toMatchObject({
      code: 'MMTOK_PROMPT_MISMATCH',
    });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  it('is stopped if its answer is not needed', async () => {
    const { signals, agent } = waiting();
    await asked(agent, { mmtok: { budget: { ratio: 1 } } });
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  it('is not aborted once it has answered', async () => {
    let signal: AbortSignal | undefined;
    const ask: Agent = async (_image, _question, options) => {
      signal = options.signal;
      return { answer: 'a cat' };
    };
    const { prompts } = await asked({ ask, parallel: true });
    expect(prompts[0]?.agent?.state).toBe('enriched');
    expect(signal?.aborted).toBe(false);
  });
});

describe('an agent that fails', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('out of memory')), /out of memory/],
    [
      'throws at once',
      () => {
        throw new Error('out of paper');
      },
      /out of paper/,
    ],
    ['answers in another form', async () => 'a cat' as unknown as { answer: string }, /answer/],
  ] as [string, Agent, RegExp][])(
    'because it %s leaves the question unchanged',
    async (_, agent, problem) => {
      const { prompts, notes, keptTokens } = await asked(agent);
      expect(prompts[0]?.agent).toMatchObject({
        state: 'failed',
        added: [],
        problem: expect.stringMatching(problem),
      });
      expect(prompts[0]?.question?.words).toEqual(['on', 'tree']);
      expect(notes).toHaveLength(1);
      expect(keptTokens).toBe(4);
    },
  );

  it('to answer in time is aborted', async () => {
    let signal: AbortSignal | undefined;
    const ask: Agent = (_image, _question, options) => {
      signal = options.signal;
      return new Promise(() => undefined);
    };
    const { prompts, notes } = await asked({ ask, timeLimitMs: 20 });
    expect(prompts[0]?.agent).toMatchObject({ state: 'timedOut', problem: expect.stringContaining('20 ms') });
    expect(signal?.aborted).toBe(true);
    expect(notes.join()).toContain('20 ms');
  });

  it('on the second image keeps its answer about the first', async () => {
    const agent = vi
      .fn<Agent>()
      .mockResolvedValueOnce({ answer: 'a cat' })
      .mockRejectedValue(new Error('enough'));
    const { prompts } = await asked(agent, { count: 2 });
    expect(prompts[0]?.agent).toMatchObject({ state: 'failed', answers: ['a cat'], added: ['cat'] });
    expect(prompts[0]?.question?.words).toContain('cat');
  });
});

describe("when: 'auto'", () => {
  it('asks if the question is less informative than the threshold, and reports how informative it is', async () => {
    const agent = says('a cat');
    const below = await asked({ ask: agent, when: 'auto', threshold: 1 });
    expect(below.prompts[0]?.agent?.state).toBe('enriched');
    const { informativeness = -1 } = below.prompts[0]?.agent ?? {};
    expect(informativeness).toBeGreaterThan(0);
    expect(informativeness).toBeLessThan(1);
    handle.restore();
    const above = await asked({ ask: agent, when: 'auto', threshold: informativeness });
    expect(above.prompts[0]?.agent).toMatchObject({ state: 'notAsked', added: [], informativeness });
    expect(agent).toHaveBeenCalledTimes(1);
  });

  it('asks if there is no question, and can be set for a single call', async () => {
    const agent = says('a cat');
    const { prompts } = await asked(agent, { mmtok: { question: '', agent: 'auto' } });
    expect(prompts[0]?.agent).toMatchObject({ state: 'enriched', informativeness: 0 });
    handle.restore();
    const always = await asked({ ask: agent, when: 'auto', threshold: 0 }, { mmtok: { agent: 'always' } });
    expect(always.prompts[0]?.agent?.state).toBe('enriched');
  });
});

describe('invalid use', () => {
  it.each([
    [says('a cat'), { images: [] }, /1.*images.*0/],
    [says('a cat'), { images: 'cat.jpg' as unknown as RawImage[] }, /images/],
    ['a cat' as unknown as Agent, {}, /agent/],
    [{ ask: says('a cat'), threshold: 2 }, {}, /agent\.threshold/],
    [{ ask: says('a cat'), timeLimitMs: 3e9 }, {}, /agent\.timeLimitMs.*2147483647/],
    [{} as PruneOptions['agent'], {}, /agent\.ask/],
    [says('a cat'), { agent: { ask: says('a cat'), timeLimitMs: 0 } }, /agent\.timeLimitMs/],
    [says('a cat'), { agent: 'never' as unknown as false }, /'always', 'auto'/],
  ] as [PruneOptions['agent'], CallOptions, RegExp][])('is rejected (%#)', async (agent, mmtok, message) => {
    const call = asked(agent, { mmtok });
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toSatisfy((error) => MmtokError.isInstance(error));
  });

  it('does not change the keys of selections', async () => {
    await asked(says('a cat'));
    const inputs = await loaded.inputs('what is on the tree ?', [image]);
    const key = await handle.cacheKey(inputs);
    expect(await handle.cacheKey(inputs, { images: [image] })).toBe(key);
    expect(await handle.cacheKey(inputs, { agent: false })).not.toBe(key);
  });
});
