// The agent on tiny random SmolVLM folders with SmolVLM2's template, and on the embedded LLaVA model.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoTokenizer, RawImage } from '@huggingface/transformers';
import { MmtokError } from '@mmtok/core';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildTinyModel, noiseImage, type TinyModel } from '../../transformers/test/tiny-models/index.js';
import { type CreateAgentOptions, createAgent, type VlmAgent } from '../src/index.js';
import { SMOLVLM2_TEMPLATE, smolvlm2Expanded } from './smolvlm2-template.js';

/** The tiny model's tokens per tile, its tokens for four tiles and an overview, and the side of a tile. */
const TILE_TOKENS = 4;
const SIDE = 16;

let directory: string;
let tiny: TinyModel;
let image: RawImage;
const agents: VlmAgent[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
  tiny = await buildTinyModel('smolvlm', { directory });
  const file = join(tiny.path, 'tokenizer_config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, chat_template: SMOLVLM2_TEMPLATE }));
  image = noiseImage({ width: 40, height: 24 });
});
afterAll(async () => {
  for (const agent of agents) await agent.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function tinyAgent(options: CreateAgentOptions = {}): Promise<VlmAgent> {
  const agent = await createAgent({ model: tiny.path, maxNewTokens: 4, ...options });
  agents.push(agent);
  return agent;
}

describe('the prompt', () => {
  it('removes placeholders from the question', async () => {
    for (const model of [tiny.path, modelPath]) {
      const agent = await createAgent({ model, maxNewTokens: 4 });
      agents.push(agent);
      const { answer, usage } = await agent(image, 'is the cat red ?');
      expect(await agent(image, '<image>\nis the cat red ?')).toMatchObject({ answer, usage });
    }
  });

  it('asks what is in the image if there is no question', async () => {
    const agent = await tinyAgent();
    const { answer, usage } = await agent(image, 'What is in the image?');
    expect(await agent(image, ' ')).toMatchObject({ answer, usage });
    expect(await agent(image, '<image>')).toMatchObject({ answer, usage });
  });

  it('has one tile, whatever the size of the image', async () => {
    const agent = await tinyAgent();
    const tokenizer = await AutoTokenizer.from_pretrained(tiny.path, { local_files_only: true });
    const expected = tokenizer(smolvlm2Expanded('is the cat red ?', TILE_TOKENS)).input_ids.dims.at(-1);
    for (const [width, height] of [
      [40, 24],
      [10, 40],
      [300, 300],
    ] as const) {
      const { usage } = await agent(noiseImage({ width, height }), 'is the cat red ?');
      expect(usage).toMatchObject({ visionTokens: TILE_TOKENS, promptTokens: expected });
    }
  });

  it('has more tiles for a larger image size', async () => {
    const agent = await tinyAgent({ imageSize: 2 * SIDE });
    const { usage } = await agent(noiseImage({ width: 64, height: 64 }), 'is the cat red ?');
    expect(usage?.visionTokens).toBe(5 * TILE_TOKENS);
  });
});

describe('an agent', () => {
  it('gives the same brief answer every time', async () => {
    const agent = await tinyAgent({ maxNewTokens: 3 });
    const first = await agent(image, 'where is the dog ?');
    const [second, third] = await Promise.all([
      agent(image, 'where is the dog ?'),
      agent(image, 'describe it'),
    ]);
    expect(second.answer).toBe(first.answer);
    expect(third.usage?.newTokens).toBeLessThanOrEqual(3);
    expect(first.usage?.newTokens).toBeGreaterThan(0);
    expect(first.timings.totalMs).toBeCloseTo(
      (first.timings.prepareMs ?? 0) + (first.timings.generateMs ?? 0),
      6,
    );
    expect(agent.model).toBe(tiny.path);
  });

  it('limits very long answers in tokens and words', async () => {
    const agent = await tinyAgent({ maxNewTokens: 200, enrichment: { maxWords: 5, suppressRepeats: false } });
    const { usage, added } = await agent(image, 'describe the image');
    expect(usage?.newTokens).toBeLessThanOrEqual(200);
    expect(added.length).toBeLessThanOrEqual(5);
  });

  it('turns the answer into words by the rules of enrichment', async () => {
    const agent = await createAgent({ model: modelPath, enrichment: { answerWeight: 0.5 } });
    agents.push(agent);
    // The answer is a word with visual meaning.
    const sample = (await samples()).find(({ kind }) => kind === 'shape');
    const { image: path, question, answer: expected } = sample!;
    const { answer, added, text, reason, weight, usage } = await agent(await RawImage.read(path), question);
    expect(answer).toBe(expected);
    expect({ added, text, reason, weight }).toEqual({
      added: [expected],
      text: `${question}\n${expected}`,
      reason: 'enriched',
      weight: 0.5,
    });
    expect(usage?.visionTokens).toBe(576);
  });

  it('stops when it is aborted, before and while it runs, and can be asked again', async () => {
    // The tiny model never ends its answer, so a whole answer takes longer than the time limit.
    const agent = await tinyAgent({ maxNewTokens: 400 });
    const whole = await agent(image, 'describe the image');
    expect(whole.usage?.newTokens).toBe(400);
    await expect(agent(image, 'a cat', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    const call = agent(image, 'describe the image', { signal: AbortSignal.timeout(20) });
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(agent(image, 'describe the image')).resolves.toMatchObject({ answer: whole.answer });
  });

  it('finishes running calls before it is disposed, and rejects later ones', async () => {
    const agent = await tinyAgent();
    const running = agent(image, 'a cat');
    await Promise.all([agent.dispose(), agent.dispose()]);
    await expect(running).resolves.toMatchObject({ answer: expect.any(String) });
    await expect(agent(image, 'a cat')).rejects.toMatchObject({ code: 'MMTOK_DISPOSED' });
  });

  it.each([
    ['a path', 'cat.jpg'],
    ['nothing', undefined],
  ])('rejects %s as an image', async (_, picture) => {
    const agent = await tinyAgent();
    await expect(agent(picture as unknown as RawImage, 'a cat')).rejects.toThrow(/RawImage/);
  });
});

describe('loading', () => {
  it('reports its progress', async () => {
    const onProgress = vi.fn();
    await tinyAgent({ onProgress });
    expect(onProgress).toHaveBeenCalled();
  });

  it('can be aborted', async () => {
    await expect(tinyAgent({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    const late = new AbortController();
    const loading = tinyAgent({ signal: late.signal });
    late.abort();
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each([
    [{ model: '' }, /model/],
    [{ maxNewTokens: 0 }, /maxNewTokens/],
    [{ imageSize: 1.5 }, /imageSize/],
    [{ enrichment: { maxWords: -1 } }, /maxWords/],
    [{ images: 1 }, /images/],
  ] as [CreateAgentOptions, RegExp][])('rejects %j', async (options, message) => {
    const creation = createAgent(options);
    await expect(creation).rejects.toThrow(message);
    await expect(creation).rejects.toSatisfy((error) =>
      MmtokError.isInstance(error, 'MMTOK_INVALID_OPTIONS'),
    );
  });

  it('rejects an image size for models without tiles', async () => {
    await expect(createAgent({ model: modelPath, imageSize: 64 })).rejects.toThrow(
      /imageSize: got 64.*llava/,
    );
  });

  it('accepts models of other families, and rejects folders without a model', async () => {
    const other = await buildTinyModel('qwen2_vl', { directory });
    const agent = await createAgent({ model: other.path, maxNewTokens: 2 });
    agents.push(agent);
    const { usage } = await agent(noiseImage(other.imageSize), 'is the cat red ?');
    expect(usage?.visionTokens).toBe(other.tokensPerImage);
    const missing = createAgent({ model: join(directory, 'nothing'), offline: true });
    await expect(missing).rejects.toSatisfy((error) => MmtokError.isInstance(error, 'MMTOK_MODEL_LOAD'));
  });
});
