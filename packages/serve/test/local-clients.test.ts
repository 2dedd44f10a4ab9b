// The official clients of OpenAI's API work unchanged with the engine `local`.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createFakeModel, imageAnd, PIXEL } from './support/fakes.js';
import { question, useLocalServer } from './support/local-server.js';

const { start } = useLocalServer();

describe('the openai package, unchanged', () => {
  const client = (url: string): OpenAI =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'secret-key', maxRetries: 0 });
  const request = { model: 'tiny', messages: [{ role: 'user' as const, content: imageAnd(question) }] };

  test('gets the answer, the usage, and what pruning did', async () => {
    const openai = client(await start(createFakeModel(), { apiKey: 'secret-key' }));
    const { data, response } = await openai.chat.completions.create(request).withResponse();
    expect(data.choices[0]).toMatchObject({
      message: { role: 'assistant', content: question },
      finish_reason: 'stop',
    });
    expect(data.usage).toEqual({ prompt_tokens: 66, completion_tokens: 6, total_tokens: 72 });
    expect((data as unknown as { mmtok: unknown }).mmtok).toEqual({
      reason: 'budgetReached',
      visionTokens: 576,
      keptTokens: 57,
      coverage: { text: 0.9, vision: 0.5 },
      images: [{ visionTokens: 576, keptTokens: 57 }],
      timings: { encodeMs: 12, selectMs: 3, prefillMs: 40, decodeMs: 5 },
    });
    expect(response.headers.get('x-mmtok')).toBe(
      'reason=budget-reached, vision-tokens=576, kept-tokens=57, coverage-text=0.9000, coverage-vision=0.5000, ' +
        'encode-ms=12.0, select-ms=3.0, prefill-ms=40.0, decode-ms=5.0',
    );
  });

  test('streams, with the usage at the end', async () => {
    const openai = client(await start(createFakeModel()));
    const stream = await openai.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let last: OpenAI.ChatCompletionChunk | undefined;
    let summary: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      summary ??= (chunk as unknown as { mmtok?: unknown }).mmtok;
      last = chunk;
    }
    expect(text).toBe(question);
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 66 } });
    expect(summary).toMatchObject({ keptTokens: 57 });
  });

  test('lists the model, and gets typed errors', async () => {
    const openai = client(await start(createFakeModel(), { apiKey: 'secret-key' }));
    const models = await openai.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['tiny']);
    expect((await openai.models.retrieve('tiny')).id).toBe('tiny');
    await expect(openai.chat.completions.create({ ...request, model: 'gpt' })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    const stranger = new OpenAI({ baseURL: openai.baseURL, apiKey: 'another', maxRetries: 0 });
    await expect(stranger.chat.completions.create(request)).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    await expect(openai.chat.completions.create({ ...request, n: 2 })).rejects.toMatchObject({
      status: 400,
      param: 'n',
      code: 'MMTOK_BAD_REQUEST',
    });
  });
});

describe('@ai-sdk/openai-compatible, unchanged', () => {
  const messages = [
    {
      role: 'user' as const,
      content: [
        { type: 'image' as const, image: PIXEL },
        { type: 'text' as const, text: question },
      ],
    },
  ];

  test('asks and streams', async () => {
    const model = createFakeModel();
    const provider = createOpenAICompatible({
      name: 'mmtok',
      baseURL: `${await start(model)}/v1`,
      includeUsage: true,
    });
    const whole = await generateText({ model: provider('tiny'), messages, maxOutputTokens: 4 });
    expect(whole.text).toBe('what color is the');
    expect(whole.finishReason).toBe('length');
    expect(whole.usage).toMatchObject({ inputTokens: 66, outputTokens: 4 });
    const stream = streamText({ model: provider('tiny'), messages });
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(question);
    expect(await stream.usage).toMatchObject({ inputTokens: 66 });
  });

  test('passes overrides to the model', async () => {
    const model = createFakeModel();
    const provider = createOpenAICompatible({ name: 'mmtok', baseURL: `${await start(model)}/v1` });
    const providerOptions = { mmtok: { mmtok: { keep: 0.25, question: 'the sky' } } };
    await generateText({ model: provider('tiny'), messages, providerOptions });
    expect(model.requests[0]?.mmtok).toEqual({ budget: { ratio: 0.25 }, question: 'the sky' });
  });
});
