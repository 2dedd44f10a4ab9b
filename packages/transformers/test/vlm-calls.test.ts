// Calls of createVlm's models: order, cancellation, disposal, and invalid requests.

import { join } from 'node:path';
import { DisposedError, InvalidBudgetError, InvalidOptionsError } from '@mmtok/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AskRequest, createVlm, ModelLoadError, type Vlm } from '../src/index.js';
import { OpenVlms, QUESTION } from './support/open-vlms.js';
import { noiseImage } from './tiny-models/index.js';

const vlms = new OpenVlms();

describe('calls', () => {
  it('made at the same time run one after the other, with the same results as alone', async () => {
    const { vlm, tiny } = await vlms.open('smolvlm');
    const requests = [1, 2, 3].map((seed) => ({
      image: noiseImage(tiny.imageSize, seed),
      question: QUESTION,
      maxNewTokens: 4,
    }));
    const order: number[] = [];
    const together = await Promise.all(
      requests.map(async (request, at) => {
        const { text, report } = await vlm.ask(request);
        order.push(at);
        return [text, report.images[0]?.indices];
      }),
    );
    expect(order).toEqual([0, 1, 2]);
    for (const [at, request] of requests.entries()) {
      const { text, report } = await vlm.ask(request);
      expect(together[at]).toEqual([text, report.images[0]?.indices]);
    }
  });

  it('end when they are aborted, while waiting or running, and the next one runs', async () => {
    const { vlm, tiny } = await vlms.open('smolvlm');
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 400 };
    const running = new AbortController();
    const waiting = new AbortController();
    const first = vlm.stream({ ...request, signal: running.signal });
    const second = vlm.ask({ ...request, signal: waiting.signal });
    waiting.abort(new Error('never mind'));
    await expect(second).rejects.toThrow('never mind');
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of first) {
        pieces.push(piece);
        running.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
    await expect(first.answer).rejects.toThrow('enough');
    expect(pieces.length).toBeLessThan(50);
    const before = AbortSignal.abort(new Error('too late'));
    await expect(vlm.ask({ ...request, signal: before })).rejects.toThrow('too late');
    expect((await vlm.ask({ ...request, maxNewTokens: 2 })).usage.newTokens).toBe(2);
  });

  it('stop the model when the loop over their pieces ends early', async () => {
    const { vlm, tiny } = await vlms.open('smolvlm');
    const stream = vlm.stream({ image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 400 });
    for await (const piece of stream) {
      expect(piece).not.toBe('');
      break;
    }
    await expect(stream.answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('that are pending finish before dispose(), and later ones are rejected', async () => {
    const { vlm, tiny } = await vlms.open('smolvlm');
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 20 };
    const running = vlm.ask(request);
    const waiting = vlm.stream(request);
    await Promise.all([vlm.dispose(), vlm.dispose()]);
    expect((await running).usage.newTokens).toBe(20);
    expect((await waiting.answer).usage.newTokens).toBe(20);
    await expect(vlm.ask(request)).rejects.toBeInstanceOf(DisposedError);
    const late = vlm.stream(request);
    await expect(
      (async () => {
        for await (const _ of late);
      })(),
    ).rejects.toBeInstanceOf(DisposedError);
  });

  it('pass options to generate()', async () => {
    const { vlm, tiny } = await vlms.open('smolvlm');
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 8 };
    const { text, usage } = await vlm.ask(request);
    const other = await vlm.ask({ ...request, generation: { repetition_penalty: 20 } });
    expect(other.text).not.toBe(text);
    const first = vlm.processor.tokenizer?.encode(text, { add_special_tokens: false })[0];
    const ended = await vlm.ask({ ...request, generation: { eos_token_id: first } });
    expect(ended).toMatchObject({ finishReason: 'stop', usage: { ...usage, newTokens: 1 } });
  });
});

describe('invalid requests', () => {
  let llava: Vlm;
  beforeAll(async () => {
    llava = (await vlms.open('llava')).vlm;
  });

  it.each([
    [{}, /question/],
    [{ question: '' }, /question: got ''/],
    [{ question: 7 }, /question/],
    [{ image: 7, question: QUESTION }, /image:/],
    [{ images: [null], question: QUESTION }, /images\.0/],
    [{ question: QUESTION, keep: Number.NaN }, /keep: got NaN/],
    [{ question: QUESTION, keep: 1.5 }, /keep: got 1\.5/],
    [{ question: QUESTION, keep: 0 }, /keep: got 0/],
    [{ question: QUESTION, keep: 'half' }, /keep: got half/],
    [{ question: QUESTION, maxNewTokens: 0 }, /maxNewTokens/],
    [{ question: QUESTION, keep: 2, mmtok: { budget: { tokens: 2 } } }, /mmtok\.budget/],
    [{ question: QUESTION, keep: 2, mmtok: false }, /keep.*mmtok: false/],
    [{ question: QUESTION, generation: { streamer: {} } }, /generation: .*streamer/],
    [{ question: QUESTION, mmtok: { budgets: 1 } }, /budgets/],
    [{ question: QUESTION, mmtok: { onReport: 'log' } }, /onReport/],
    [{ questions: QUESTION }, /questions/],
    [{ messages: [] }, /messages/],
    [{ messages: [{ role: 'assistant', content: 'a' }] }, /assistant/],
    [{ messages: [{ role: 'user', content: 'a' }], question: 'b' }, /messages.*question/],
    [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, /messages\.0\.content/],
  ])('such as %j are rejected', async (request, message) => {
    const asked = llava.ask(request as AskRequest);
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(InvalidOptionsError);
  });

  it('such as values that cannot be read are rejected', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const ask = (more: object): Promise<unknown> => llava.ask({ question: QUESTION, ...more } as AskRequest);
    await expect(ask({ mmtok: proxy })).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(ask({ keep: proxy })).rejects.toBeInstanceOf(InvalidBudgetError);
    await expect(createVlm('anything', { budget: proxy as never })).rejects.toBeInstanceOf(
      InvalidBudgetError,
    );
  });

  it('such as placeholders in the question, or none in a template, are rejected', async () => {
    const { vlm, tiny } = await vlms.open('llava');
    const image = noiseImage(tiny.imageSize);
    const code = 'MMTOK_INPUT';
    await expect(vlm.ask({ image, question: 'is <image> red ?' })).rejects.toMatchObject({ code });
    const template = 'user : {question} assistant :';
    await expect(vlm.ask({ image, question: QUESTION, template })).rejects.toMatchObject({ code });
    const { usage } = await vlm.ask({
      image,
      question: QUESTION,
      template: 'user : <image> {question} assistant :',
      maxNewTokens: 1,
    });
    expect(usage.visionTokens).toBe(tiny.tokensPerImage);
  });

  it('such as wrong options are rejected before anything is loaded', async () => {
    const nowhere = join(vlms.directory, 'nowhere');
    await expect(createVlm(nowhere, { keep: -1 })).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(createVlm(nowhere, { keep: { tokens: 0 } })).rejects.toBeInstanceOf(InvalidBudgetError);
    await expect(createVlm(nowhere, { keeps: 1 } as never)).rejects.toThrow(/keeps/);
    await expect(createVlm(nowhere, { keep: 2, budget: { tokens: 2 } })).rejects.toBeInstanceOf(
      InvalidOptionsError,
    );
    await expect(createVlm('')).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(createVlm(nowhere)).rejects.toBeInstanceOf(ModelLoadError);
  });
});
