// createVlm on tiny models of several families: answers, streams, conversations, limits, and invalid requests.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  AutoProcessor,
  AutoTokenizer,
  type Message as LibraryMessage,
  type PreTrainedTokenizer,
  type Processor,
  RawImage,
  type Tensor,
} from '@huggingface/transformers';
import { createReferenceBackend, DisposedError, InvalidBudgetError, InvalidOptionsError } from '@mmtok/core';
import { loadTinyVlm, modelPath, samples } from '@mmtok/tiny-vlm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type AskRequest,
  type CreateVlmOptions,
  createVlm,
  InputError,
  type Keep,
  loadVlm,
  type ModelInputs,
  ModelLoadError,
  type PromptMessage,
  processInputs,
  type Vlm,
} from '../src/index.js';
import {
  buildTinyModel,
  type FamilyName,
  families,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

let directory: string;
const opened: Vlm[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vlm-'));
});
afterAll(async () => {
  for (const vlm of opened) await vlm.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function open(
  name: FamilyName,
  options: CreateVlmOptions = {},
): Promise<{ readonly vlm: Vlm; readonly tiny: TinyModel }> {
  const tiny = await buildTinyModel(name, { directory });
  const vlm = await createVlm(tiny.path, { minVisionTokens: 1, keep: 2, ...options });
  opened.push(vlm);
  return { vlm, tiny };
}

const QUESTION = 'is the cat red ?';

const all = Object.keys(families) as FamilyName[];

describe.each(all)('%s', (name) => {
  it('answers, streams the same text in pieces, and counts its tokens', async () => {
    const { vlm, tiny } = await open(name);
    const image = noiseImage(tiny.imageSize);
    const request: AskRequest = { image, question: QUESTION, maxNewTokens: 6 };
    const answer = await vlm.ask(request);
    const { usage, report } = answer;
    expect(answer.finishReason).toBe(usage.newTokens < 6 ? 'stop' : 'length');
    expect(usage).toMatchObject({ visionTokens: tiny.tokensPerImage, keptTokens: 2 });
    expect(usage.promptTokens - usage.keptPromptTokens).toBe(tiny.tokensPerImage - 2);
    expect(report.images).toHaveLength(1);

    const stream = vlm.stream(request);
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece);
    expect(pieces.join('')).toBe(answer.text);
    expect((await stream.answer).text).toBe(answer.text);

    // Unpruned, the answer matches the processor called directly. Three families have no conversations.
    const whole = await vlm.ask({ ...request, keep: false });
    expect(whole.report.reason).toBe('disabled');
    const { processor, tokenizer } = await loadParts(tiny);
    const isSingle = ['florence2', 'paligemma', 'multi_modality'].includes(name);
    const prompt = isSingle ? { messages: [], prompt: QUESTION } : promptOf(processor, tokenizer);
    const inputs: ModelInputs =
      name === 'multi_modality'
        ? await processInputs(vlm.library, processor, { images: [image], messages: ASKED })
        : await families[name].process({ processor, tokenizer }, { ...prompt, images: [image] });
    const sequences = (await vlm.handle.generate({ ...inputs, max_new_tokens: 6, mmtok: false })) as Tensor;
    const start = name === 'florence2' ? 1 : (inputs.input_ids?.dims.at(-1) ?? 0);
    const [expected = ''] = tokenizer.batch_decode(
      sequences.slice(null, [start, sequences.dims.at(-1) ?? 0]),
      {
        skip_special_tokens: true,
      },
    );
    expect(whole.text).toBe(expected.trim());
  });
});

/** A question about an image as a conversation. */
const ASKED: readonly PromptMessage[] = [
  { role: 'user', content: [{ type: 'image' }, { type: 'text', text: QUESTION }] },
];

async function loadParts({
  path,
}: TinyModel): Promise<{ processor: Processor; tokenizer: PreTrainedTokenizer }> {
  const offline = { local_files_only: true };
  const [processor, tokenizer] = await Promise.all([
    AutoProcessor.from_pretrained(path, offline),
    AutoTokenizer.from_pretrained(path, offline),
  ]);
  return { processor, tokenizer };
}

function promptOf(
  processor: Processor,
  tokenizer: PreTrainedTokenizer,
): { messages: LibraryMessage[]; prompt: string } {
  const messages = ASKED as unknown as LibraryMessage[];
  const templates = processor.tokenizer === undefined ? tokenizer : processor;
  const prompt = templates.apply_chat_template(messages, { tokenize: false, add_generation_prompt: true });
  return { messages, prompt: prompt as string };
}

describe('several images', () => {
  it.each([
    'smolvlm',
    'llava',
    'qwen3_vl',
    'gemma3',
    'multi_modality',
    'moondream1',
    'phi3_v',
    'paligemma',
    'lfm2_vl',
  ] as const)('are given to %s together', async (name) => {
    const { vlm, tiny } = await open(name);
    const images = [noiseImage(tiny.imageSize), noiseImage(tiny.imageSize, 2)];
    const { usage, report } = await vlm.ask({ images, question: QUESTION, maxNewTokens: 2 });
    expect(usage).toMatchObject({ visionTokens: 2 * tiny.tokensPerImage, keptTokens: 4 });
    expect(report.images).toHaveLength(2);
  });
});

describe('a conversation', () => {
  it.each(['smolvlm', 'qwen2_vl', 'llava', 'multi_modality'] as const)(
    'of several turns with images is put to %s, which looks for what the last turn asks',
    async (name) => {
      const { vlm, tiny } = await open(name);
      const image = noiseImage(tiny.imageSize);
      const { report, usage } = await vlm.ask({
        messages: [
          { role: 'system', content: 'a cat' },
          {
            role: 'user',
            content: [
              { type: 'image', image },
              { type: 'text', text: 'what is red ?' },
            ],
          },
          { role: 'assistant', content: 'the dog' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'and where is the cat ?' },
              { type: 'image', image },
            ],
          },
        ],
        maxNewTokens: 2,
      });
      expect(usage.visionTokens).toBe(2 * tiny.tokensPerImage);
      expect(report.prompts[0]?.question?.text).toMatch(/cat/);
      expect(report.prompts[0]?.question?.text).not.toMatch(/dog|red/);
    },
  );

  it('does not need an image', async () => {
    const { vlm } = await open('smolvlm');
    const { usage, report } = await vlm.ask({ question: QUESTION, maxNewTokens: 2 });
    expect(usage).toMatchObject({ visionTokens: 0, keptTokens: 0 });
    expect(report.reason).toBe('noImage');
  });
});

describe('images', () => {
  it('may be paths, URLs, blobs, pixels, and canvases', async () => {
    const { vlm } = await open('smolvlm');
    const [sample] = await samples();
    const path = sample?.image ?? '';
    const raw = await RawImage.read(path);
    const bytes = await readFile(path);
    const { data, width, height } = raw.clone().rgba();
    const pixels = { data: data as Uint8ClampedArray, width, height };
    const context = { getImageData: () => pixels };
    const ask = async (image: NonNullable<AskRequest['image']>): Promise<unknown> => {
      const { text, report } = await vlm.ask({ image, question: QUESTION, maxNewTokens: 3 });
      return [text, report.images[0]?.indices];
    };
    const expected = await ask(raw);
    for (const image of [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      new Blob([bytes]),
      `data:image/png;base64,${bytes.toString('base64')}`,
      pixels,
      { width, height, getContext: () => context },
    ])
      expect(await ask(image)).toEqual(expected);
  });

  it.each([
    ['that are missing', 'nowhere.png', /nowhere\.png.*ENOENT/],
    ['that are empty', new Blob([]), /empty/],
    ['in formats that decoders do not support', new Blob(['BM', new Uint8Array(40)]), /BMP/],
    ['in the HEIC format', new Blob([new Uint8Array(4), 'ftypheic', new Uint8Array(40)]), /HEIC/],
    ['that are not images', new Blob(['hello']), /the image/],
    ['with too few pixels', { data: new Uint8Array(3), width: 2, height: 2 }, /3 .*2 × 2 × 4/],
  ] as const)('%s are rejected', async (_, image, message) => {
    const { vlm } = await open('llava');
    const asked = vlm.ask({ image, question: QUESTION });
    await expect(asked).rejects.toBeInstanceOf(InputError);
    await expect(asked).rejects.toThrow(message);
  });
});

describe('what is kept', () => {
  it('is a ratio, a number, a budget, or everything, for all calls or for one', async () => {
    const { vlm, tiny } = await open('llava', { keep: 0.5 });
    const image = noiseImage(tiny.imageSize);
    const kept = async (more: Partial<AskRequest>): Promise<number> =>
      (await vlm.ask({ image, question: QUESTION, maxNewTokens: 1, ...more })).usage.keptTokens;
    expect(await kept({})).toBe(tiny.tokensPerImage / 2);
    expect(await kept({ keep: 3 })).toBe(3);
    expect(await kept({ keep: { tokens: 4 } })).toBe(4);
    expect(await kept({ keep: 10_000 })).toBe(tiny.tokensPerImage);
    expect(await kept({ mmtok: { budget: { tokens: 5 } } })).toBe(5);
    const { vlm: whole } = await open('llava', { keep: false });
    expect((await whole.ask({ image, question: QUESTION, maxNewTokens: 1 })).report.reason).toBe('disabled');
  });

  it('is reported to the caller and to observers', async () => {
    const onReport = vi.fn();
    const { vlm, tiny } = await open('llava', { onReport });
    const { report } = await vlm.ask({ image: noiseImage(tiny.imageSize), question: QUESTION });
    expect(onReport.mock.lastCall?.[0]).toBe(report);
  });
});

describe('calls', () => {
  it('made at the same time run one after the other, with the same results as alone', async () => {
    const { vlm, tiny } = await open('smolvlm');
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
    const { vlm, tiny } = await open('smolvlm');
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
    const { vlm, tiny } = await open('smolvlm');
    const stream = vlm.stream({ image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 400 });
    for await (const piece of stream) {
      expect(piece).not.toBe('');
      break;
    }
    await expect(stream.answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('that are pending finish before dispose(), and later ones are rejected', async () => {
    const { vlm, tiny } = await open('smolvlm');
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
    const { vlm, tiny } = await open('smolvlm');
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
    llava = (await open('llava')).vlm;
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
    const { vlm, tiny } = await open('llava');
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
    const nowhere = join(directory, 'nowhere');
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

describe('a model', () => {
  it('that was loaded by the caller is not disposed', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const loaded = await loadVlm(tiny.path);
    await expect(createVlm(loaded, { dtype: 'q4' })).rejects.toThrow(/dtype/);
    const vlm = await createVlm(loaded, { keep: 2, minVisionTokens: 1, backend: createReferenceBackend() });
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 1 };
    expect((await vlm.ask(request)).usage.keptTokens).toBe(2);
    await vlm.dispose();
    const again = await createVlm(loaded, { keep: 3, minVisionTokens: 1 });
    expect((await again.ask(request)).usage.keptTokens).toBe(3);
    await again.dispose();
    await loaded.model.dispose();
  });

  it('may be the embedded one from loadTinyVlm()', async () => {
    const tiny = await loadTinyVlm();
    const { model, family, modelType, source, tap } = await loadVlm(modelPath);
    await model.dispose();
    expect(tiny).toMatchObject({ family, modelType, source, tap });
    const vlm = await createVlm(tiny, { keep: 0.1 });
    const [sample] = await samples();
    const { text } = await vlm.ask({ image: sample!.image, question: sample!.question });
    expect(text).toBe(sample!.answer);
    await vlm.dispose();
    await tiny.model.dispose();
  });

  it('answers correctly', async () => {
    const vlm = await createVlm(modelPath, { keep: 0.1 });
    opened.push(vlm);
    const sample = (await samples()).find(({ kind }) => kind === 'shape');
    const { text, usage } = await vlm.ask({ image: sample!.image, question: sample!.question });
    expect(text).toBe(sample!.answer);
    expect(usage).toMatchObject({ visionTokens: 576, keptTokens: 57 });
  });

  it('whose processor counts a class token that the model drops gets one placeholder per vision token', async () => {
    const tiny = await buildTinyModel('llava', { directory: join(directory, 'class-token') });
    const write = async (file: string, more: object): Promise<void> => {
      const config = JSON.parse(await readFile(join(tiny.path, file), 'utf8')) as object;
      await writeFile(join(tiny.path, file), JSON.stringify({ ...config, ...more }));
    };
    const ask = async (keep: Keep): Promise<number> => {
      const vlm = await createVlm(tiny.path, { keep, minVisionTokens: 1 });
      opened.push(vlm);
      const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 1 };
      return (await vlm.ask(request)).usage.visionTokens;
    };
    await write('processor_config.json', { num_additional_image_tokens: 1 });
    await expect(ask(2)).rejects.toThrow(/17 .* 16 .*num_additional_image_tokens/);
    await expect(ask(false)).rejects.toThrow(/tokens: 17, features:? 16/);
    await write('config.json', { vision_feature_select_strategy: 'default' });
    expect(await ask(2)).toBe(tiny.tokensPerImage);
    await write('config.json', { vision_feature_select_strategy: 'full' });
    await write('processor_config.json', { vision_feature_select_strategy: 'default' });
    expect(await ask(2)).toBe(tiny.tokensPerImage);
  });

  it('without the template file that its processor reads is rejected with the name of the file', async () => {
    const tiny = await buildTinyModel('gemma3', { directory: join(directory, 'no-template') });
    await rm(join(tiny.path, 'chat_template.jinja'));
    const loading = createVlm(tiny.path);
    await expect(loading).rejects.toBeInstanceOf(ModelLoadError);
    await expect(loading).rejects.toThrow(/chat_template\.jinja/);
  });

  it('without a chat template takes one from the request', async () => {
    const tiny = await buildTinyModel('llava', { directory: join(directory, 'untemplated') });
    const file = join(tiny.path, 'tokenizer_config.json');
    const { chat_template: _, ...config } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      unknown
    >;
    await writeFile(file, JSON.stringify(config));
    const vlm = await createVlm(tiny.path, { keep: 2, minVisionTokens: 1 });
    opened.push(vlm);
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 1 };
    await expect(vlm.ask(request)).rejects.toThrow(/chat_template.*template: 'USER:/);
    const { usage } = await vlm.ask({ ...request, template: '<image> {question}' });
    expect(usage.keptTokens).toBe(2);
  });

  it('stops loading when it is aborted', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    await expect(createVlm(tiny.path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const late = new AbortController();
    const loading = createVlm(tiny.path, { signal: late.signal });
    late.abort();
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  });
});
