// Which text drives coverage: read from the prompt, or passed by the caller.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createReferenceBackend,
  MmtokError,
  type ObjectiveTerm,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, type PruneHandle, type PruneOptions, prune, type Question } from '../src/index.js';
import { lastUserTurn } from '../src/question/chat-template.js';
import { generate } from './support/reference.js';
import { templatedTokenizer } from './support/templated-tokenizer.js';
import { buildTinyModel, type LoadedTinyModel, noiseImage, type TinyModel } from './tiny-models/index.js';

let directory: string;
let tiny: TinyModel;
let loaded: LoadedTinyModel;
let handle: PruneHandle;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'questions-'));
  tiny = await buildTinyModel('llava', { directory });
  loaded = await tiny.load();
});
afterEach(() => handle?.restore());
afterAll(async () => {
  await loaded.dispose();
  await rm(directory, { recursive: true, force: true });
});

/** The text that drove coverage, for a question in the chat template or for a plain text. */
async function asked(
  question: string | { readonly raw: string },
  mmtok: CallOptions = {},
  options: Partial<PruneOptions> = {},
): Promise<Question | undefined> {
  handle = prune(loaded.model, {
    processor: loaded.processor,
    backend: createReferenceBackend(),
    budget: { tokens: 4 },
    minVisionTokens: 1,
    ...options,
  });
  const image = noiseImage(tiny.imageSize);
  const inputs =
    typeof question === 'string'
      ? await loaded.inputs(question, [image])
      : await loaded.processor(image, question.raw);
  await generate(loaded.model, { ...inputs, max_new_tokens: 1, mmtok });
  return handle.lastReport?.prompts[0]?.question;
}

describe('the question', () => {
  it('is the last user turn without template and stop words', async () => {
    expect(await asked('is there a red cat in the image ?')).toMatchObject({
      source: 'lastUserTurn',
      words: ['red', 'cat', 'in', 'image'],
    });
  });

  it('is the full text of a prompt made without the template', async () => {
    expect(await asked({ raw: 'describe <image> the green dog' })).toMatchObject({
      source: 'wholePrompt',
      words: ['describe', 'green', 'dog'],
    });
  });

  it('keeps every word, or drops others, if requested', async () => {
    expect((await asked('is the cat red ?', { keywords: false }))?.words).toEqual([
      'is',
      'the',
      'cat',
      'red?',
    ]);
    handle.restore();
    expect((await asked('is the cat red ?', { keywords: { stopWords: ['cat'] } }))?.words).toEqual([
      'is',
      'the',
      'red',
    ]);
  });

  it('becomes tokens as in the official code, if requested', async () => {
    const ours = await asked('is the cat red ?', { question: 'What is it?' });
    handle.restore();
    const theirs = await asked('is the cat red ?', { question: 'What is it?', text: 'official' });
    expect(ours?.words).toEqual(['What', 'is', 'it']);
    expect(theirs?.words).toEqual(['What', 'is', 'it?']);
    expect(theirs?.ids.length).toBe((ours?.ids.length as number) + 1);
    handle.restore();
    const both = { text: 'official', keywords: false } as const;
    await expect(asked('is the cat red ?', both)).rejects.toThrow(/keywords.*official/);
    handle.restore();
    await expect(asked('is the cat red ?', {}, both)).rejects.toThrow(/keywords.*official/);
  });

  it('can be given by the caller', async () => {
    expect(await asked('is the cat red ?', { question: 'blue tree' })).toMatchObject({
      source: 'caller',
      words: ['blue', 'tree'],
    });
    handle.restore();
    expect(
      await asked('is the cat red ?', { questionTokens: { ids: [40, 41], weights: [1, 0] } }),
    ).toMatchObject({
      source: 'tokens',
      ids: [40, 41],
      weights: [1, 0],
    });
  });

  it('applies token weights to a custom objective, or notes that no term uses them', async () => {
    const of = async (weights: number[], term: ObjectiveTerm): Promise<unknown> => {
      handle?.restore();
      const ids = [59, 20];
      await asked('is the cat red ?', { questionTokens: { ids, weights } }, { coverage: [term] });
      return handle.lastReport?.images[0]?.selections[0]?.order;
    };
    const text = textCoverage();
    const first = await of([1, 0], text);
    expect(handle.lastReport?.notes).toEqual([]);
    expect(first).toEqual(await of([1, 1], textCoverage({ targetWeights: [1, 0] })));
    expect(handle.lastReport?.notes).toHaveLength(1);
    expect(await of([0, 1], text)).not.toEqual(first);
    await of([1, 0], visionCoverage());
    expect(handle.lastReport?.notes).toHaveLength(1);
  });

  it('changes the selection', async () => {
    const selections: unknown[] = [];
    for (const question of ['blue tree', 'red cat dog car', '']) {
      await asked('is the cat red ?', { question });
      selections.push(handle.lastReport?.images[0]?.selections[0]?.order);
      handle.restore();
    }
    expect(selections[0]).not.toEqual(selections[1]);
    expect(selections[0]).not.toEqual(selections[2]);
  });

  it('may be empty: then only the image guides the selection, and a note says so', async () => {
    expect(await asked('is the cat red ?', { question: '' })).toMatchObject({
      source: 'none',
      words: [],
      ids: [],
    });
    expect(handle.lastReport?.notes).toHaveLength(1);
    expect(Object.keys(handle.lastReport?.images[0]?.selections[0]?.coverage ?? {})).toEqual(['vision']);
  });

  it.each([
    [{ question: ['a', 'b'] }, /question.*2.*1/],
    [{ question: 'a', questionTokens: { ids: [1] } }, /questionTokens/],
    [{ questionTokens: { ids: [1], weights: [1, 2] } }, /questionTokens/],
    [{ questionTokens: { ids: [1, 99999] } }, /questionTokens.*99999/],
    [{ question: 3 }, /question/],
  ] as [CallOptions, RegExp][])('rejects %j', async (mmtok, message) => {
    const call = asked('is the cat red ?', mmtok);
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toSatisfy((error) => MmtokError.isInstance(error));
  });
});

const LLAVA_1_5 =
  "{% for m in messages %}{{ m.role.upper() + ': ' }}{% for p in m.content %}{% if p.type == 'image' %}<image>\n{% else %}{{ p.text + ' ' }}{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}";

describe('the last user turn', () => {
  const cases: [name: string, template: string, prompt: string, expected: string][] = [
    [
      'ChatML with its own system prompt',
      "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
      '<|im_start|>system\nAnswer briefly.<|im_end|>\n<|im_start|>user\n<|vision_start|><|vision_end|>Where is user 7?<|im_end|>\n<|im_start|>assistant\n',
      'Where is user 7?',
    ],
    [
      'Vicuna',
      "{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content if m.content is string else m.content[0].text }} {% else %}ASSISTANT: {{ m.content if m.content is string else m.content[0].text }}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}",
      'USER: \nWhat colour is the USER: label? ASSISTANT:',
      'What colour is the USER: label?',
    ],
    [
      'Vicuna, second turn',
      "{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content if m.content is string else m.content[0].text }} {% else %}ASSISTANT: {{ m.content if m.content is string else m.content[0].text }}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}",
      'USER: \nIs there a cat? ASSISTANT: No.</s>USER: And a dog? ASSISTANT:',
      'And a dog?',
    ],
    ...[
      'Who is the user: a man or a woman?',
      'What does the "USER: admin" sign say?',
      'Copy the dialogue. assistant: hello',
    ].flatMap((question): [string, string, string, string][] => [
      ['LLaVA 1.5', LLAVA_1_5, `USER: \n${question} ASSISTANT:`, question],
      [
        'LLaVA 1.5, second turn',
        LLAVA_1_5,
        `USER: \nIs there a cat? ASSISTANT: No. USER: ${question} ASSISTANT:`,
        question,
      ],
    ]),
    [
      'LLaVA 1.5, written small by its tokenizer',
      LLAVA_1_5,
      'user : is there a cat? assistant : no. user : and a dog? assistant :',
      'and a dog?',
    ],
    [
      'Mistral',
      "<s>{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content if m.content is string else m.content[0].text }}[/INST]{% else %}{{ m.content if m.content is string else m.content[0].text }}</s>{% endif %}{% endfor %}",
      '<s>[INST][IMG_BREAK][IMG_END]Was steht auf dem Schild?[/INST]',
      'Was steht auf dem Schild?',
    ],
    [
      'SmolVLM, whose header depends on the image',
      "<|im_start|>{% for m in messages %}{{ m.role | capitalize }}{% if m.content[0].type == 'image' %}:{% else %}: {% endif %}{% for p in m.content %}{{ p.text }}{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}",
      '<|im_start|>User:<fake_token_around_image><row_1_col_1><fake_token_around_image><global-img><fake_token_around_image>Can you see it?<end_of_utterance>\nAssistant:',
      'Can you see it?',
    ],
  ];
  it.each(cases)('is found in %s (%#)', (_, template, prompt, expected) => {
    const tokenizer = templatedTokenizer(template);
    const ids = tokenizer.encode(prompt);
    expect(lastUserTurn({ tokenizer }, ids)).toEqual({ text: expected, source: 'lastUserTurn' });
  });

  it('is the whole text for a tokenizer without a template', () => {
    const tokenizer = templatedTokenizer(undefined);
    expect(lastUserTurn({ tokenizer }, tokenizer.encode('detect the cat'))).toEqual({
      text: 'detect the cat',
      source: 'wholePrompt',
    });
    expect(lastUserTurn({ tokenizer }, [])).toEqual({ text: '', source: 'wholePrompt' });
  });
});
