// The fields of a request to the engine `local`: supported ones reach the model, all others are rejected by name.

import { describe, expect, test } from 'vitest';
import { createFakeModel, imageAnd } from './support/fakes.js';
import { ask, question, useLocalServer } from './support/local-server.js';

const { start } = useLocalServer();

describe('what a request asks for', () => {
  test('overrides, temperature, limits, and roles reach the model', async () => {
    const model = createFakeModel();
    const url = await start(model);
    const messages = [
      { role: 'developer', content: 'be brief' },
      { role: 'user', content: imageAnd('first') },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: [{ type: 'text', text: question }] },
    ];
    await ask(url, {
      messages,
      mmtok: { keep: 64, agent: false, tiles: { max: 5 } },
      temperature: 0.7,
      max_completion_tokens: 9,
    });
    await ask(url, { mmtok: { keep: { coverage: 0.9 } }, temperature: 0 });
    const off = await ask(url, { mmtok: false });
    expect(model.requests.map(({ mmtok }) => mmtok)).toEqual([
      { budget: { tokens: 64 }, agent: false, tiles: { max: 5 } },
      { budget: { coverage: 0.9 } },
      false,
    ]);
    expect(model.requests[0]).toMatchObject({
      maxNewTokens: 9,
      generation: { do_sample: true, temperature: 0.7 },
    });
    expect(model.requests[1]?.generation).toMatchObject({ do_sample: false });
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
    expect(model.requests[0]?.messages[1]?.content).toMatchObject([
      { type: 'image', image: { type: 'image/png', size: 70 } },
      { type: 'text', text: 'first' },
    ]);
    expect(await off.json()).toMatchObject({ mmtok: { reason: 'disabled', keptTokens: 576 } });
  });

  test.each([false, true])(
    'stop sequences end the answer and the generation (stream: %s)',
    async (stream) => {
      const model = createFakeModel();
      const url = await start(model);
      const response = await ask(url, { stop: ['is th', 'never'], stream });
      const text = await response.text();
      const content = stream
        ? [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')
        : JSON.parse(text).choices[0].message.content;
      expect(content).toBe('what color ');
      expect(text).toContain('"finish_reason":"stop"');
    },
  );

  test('top_p and temperature turn on sampling; without them, decoding is greedy', async () => {
    const model = createFakeModel();
    const url = await start(model);
    const asked = [
      { top_p: 0.9 },
      { top_p: 0.5, temperature: 0.7 },
      { top_p: 1 },
      { top_p: 0.9, temperature: 0 },
    ];
    for (const each of asked) expect((await ask(url, { ...each, user: 'someone' })).status).toBe(200);
    const nucleus = [expect.any(Function)];
    expect(model.requests.map(({ generation: { stopping_criteria: _, ...rest } }) => rest)).toEqual([
      { do_sample: true, temperature: 1, top_k: 0, logits_processor: nucleus },
      { do_sample: true, temperature: 0.7, top_k: 0, logits_processor: nucleus },
      { do_sample: false },
      { do_sample: false },
    ]);
  });

  test.each([
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['tool_choice', 'required'],
    ['functions', [{ name: 'f' }]],
    ['response_format', { type: 'json_object' }],
    ['logprobs', true],
    ['top_logprobs', 3],
    ['logit_bias', { 5: 1 }],
    ['frequency_penalty', 1],
    ['reasoning_effort', 'high'],
    ['structured_outputs', { json: {} }],
    ['toString', 1],
    ['seed', 5],
  ])('%s is rejected by name', async (field, value) => {
    const response = await ask(await start(createFakeModel()), { temperature: 1, [field]: value });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: field } });
  });

  test.each([
    ['n', 1],
    ['tools', []],
    ['logprobs', false],
    ['presence_penalty', 0],
    ['seed', 5],
    ['response_format', { type: 'text' }],
    ['tool_choice', null],
  ])('%s is accepted if it changes nothing', async (field, value) => {
    expect((await ask(await start(createFakeModel()), { [field]: value })).status).toBe(200);
  });

  test('messages of tools are rejected by name', async () => {
    const messages = [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', type: 'function', function: { name: 'f' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'y' },
    ];
    const response = await ask(await start(createFakeModel()), { messages });
    expect(await response.json()).toMatchObject({ error: { param: 'messages[1]' } });
  });
});

describe('texts', () => {
  const rules = {
    model: { config: { image_token_index: 4, text_config: { max_position_embeddings: 8 } } },
    processor: {
      tokenizer: { encode: (text: string) => text.split(' ').map(Number), decode: () => ' <image>' },
    },
  };
  test.each([
    [
      'longer than the context',
      [{ role: 'user', content: 'a b c d e f g h i' }],
      'messages[0]',
      'MMTOK_LIMIT',
    ],
    [
      'longer than the context together',
      [
        { role: 'user', content: 'a b c d e' },
        { role: 'assistant', content: 'a b c' },
        { role: 'user', content: 'a' },
      ],
      'messages[2]',
      'MMTOK_LIMIT',
    ],
    [
      'with a placeholder',
      [
        { role: 'system', content: 'an <image> here' },
        { role: 'user', content: 'a' },
      ],
      'messages[0]',
      'MMTOK_BAD_REQUEST',
    ],
    [
      'with a placeholder in two parts',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: '<im' },
            { type: 'text', text: 'age>' },
          ],
        },
      ],
      'messages[0]',
      'MMTOK_BAD_REQUEST',
    ],
  ])('%s are rejected before the model runs', async (_, messages, param, code) => {
    const model = Object.assign(createFakeModel(), rules);
    const url = await start(model);
    const response = await ask(url, { messages });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, code } });
    expect(model.requests).toEqual([]);
    expect((await ask(url, { messages: [{ role: 'user', content: 'a b c d e f g h' }] })).status).toBe(200);
  });
});
