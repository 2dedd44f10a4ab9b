// createVlm on tiny models of several families: answers, streams, conversations, images, and models it accepts.

import { readFile, rm, writeFile } from 'node:fs/promises';
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
import { createReferenceBackend } from '@mmtok/core';
import { loadTinyVlm, modelPath, samples } from '@mmtok/tiny-vlm';
import { describe, expect, it, vi } from 'vitest';
import {
  type AskRequest,
  createVlm,
  InputError,
  type Keep,
  loadVlm,
  type ModelInputs,
  ModelLoadError,
  type PromptMessage,
  processInputs,
} from '../src/index.js';
import { OpenVlms, QUESTION } from './support/open-vlms.js';
import {
  buildTinyModel,
  type FamilyName,
  families,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

const vlms = new OpenVlms();

const all = Object.keys(families) as FamilyName[];

describe.each(all)('%s', (name) => {
  it('answers, streams the same text in pieces, and counts its tokens', async () => {
    const { vlm, tiny } = await vlms.open(name);
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
    const { vlm, tiny } = await vlms.open(name);
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
      const { vlm, tiny } = await vlms.open(name);
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
    const { vlm } = await vlms.open('smolvlm');
    const { usage, report } = await vlm.ask({ question: QUESTION, maxNewTokens: 2 });
    expect(usage).toMatchObject({ visionTokens: 0, keptTokens: 0 });
    expect(report.reason).toBe('noImage');
  });
});

describe('images', () => {
  it('may be paths, URLs, blobs, pixels, and canvases', async () => {
    const { vlm } = await vlms.open('smolvlm');
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
    const { vlm } = await vlms.open('llava');
    const asked = vlm.ask({ image, question: QUESTION });
    await expect(asked).rejects.toBeInstanceOf(InputError);
    await expect(asked).rejects.toThrow(message);
  });
});

describe('what is kept', () => {
  it('is a ratio, a number, a budget, or everything, for all calls or for one', async () => {
    const { vlm, tiny } = await vlms.open('llava', { keep: 0.5 });
    const image = noiseImage(tiny.imageSize);
    const kept = async (more: Partial<AskRequest>): Promise<number> =>
      (await vlm.ask({ image, question: QUESTION, maxNewTokens: 1, ...more })).usage.keptTokens;
    expect(await kept({})).toBe(tiny.tokensPerImage / 2);
    expect(await kept({ keep: 3 })).toBe(3);
    expect(await kept({ keep: { tokens: 4 } })).toBe(4);
    expect(await kept({ keep: 10_000 })).toBe(tiny.tokensPerImage);
    expect(await kept({ mmtok: { budget: { tokens: 5 } } })).toBe(5);
    const { vlm: whole } = await vlms.open('llava', { keep: false });
    expect((await whole.ask({ image, question: QUESTION, maxNewTokens: 1 })).report.reason).toBe('disabled');
  });

  it('is reported to the caller and to observers', async () => {
    const onReport = vi.fn();
    const { vlm, tiny } = await vlms.open('llava', { onReport });
    const { report } = await vlm.ask({ image: noiseImage(tiny.imageSize), question: QUESTION });
    expect(onReport.mock.lastCall?.[0]).toBe(report);
  });

  it('rejects if an async observer fails', async () => {
    const onReport = async (): Promise<never> => await Promise.reject(new Error('the log is full'));
    const { vlm, tiny } = await vlms.open('llava', { onReport });
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION };
    await expect(vlm.ask(request)).rejects.toThrow('the log is full');
  });
});

describe('a model', () => {
  it('that was loaded by the caller is not disposed', async () => {
    const tiny = await buildTinyModel('llava', { directory: vlms.directory });
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
    const vlm = await vlms.create(modelPath, { keep: 0.1 });
    const sample = (await samples()).find(({ kind }) => kind === 'shape');
    const { text, usage } = await vlm.ask({ image: sample!.image, question: sample!.question });
    expect(text).toBe(sample!.answer);
    expect(usage).toMatchObject({ visionTokens: 576, keptTokens: 57 });
  });

  it('whose processor counts a class token that the model drops gets one placeholder per vision token', async () => {
    const tiny = await buildTinyModel('llava', { directory: join(vlms.directory, 'class-token') });
    const write = async (file: string, more: object): Promise<void> => {
      const config = JSON.parse(await readFile(join(tiny.path, file), 'utf8')) as object;
      await writeFile(join(tiny.path, file), JSON.stringify({ ...config, ...more }));
    };
    const ask = async (keep: Keep): Promise<number> => {
      const vlm = await vlms.create(tiny.path, { keep, minVisionTokens: 1 });
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
    const tiny = await buildTinyModel('gemma3', { directory: join(vlms.directory, 'no-template') });
    await rm(join(tiny.path, 'chat_template.jinja'));
    const loading = createVlm(tiny.path);
    await expect(loading).rejects.toBeInstanceOf(ModelLoadError);
    await expect(loading).rejects.toThrow(/chat_template\.jinja/);
  });

  it('without a chat template takes one from the request', async () => {
    const tiny = await buildTinyModel('llava', { directory: join(vlms.directory, 'untemplated') });
    const file = join(tiny.path, 'tokenizer_config.json');
    const { chat_template: _, ...config } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      unknown
    >;
    await writeFile(file, JSON.stringify(config));
    const vlm = await vlms.create(tiny.path, { keep: 2, minVisionTokens: 1 });
    const request = { image: noiseImage(tiny.imageSize), question: QUESTION, maxNewTokens: 1 };
    await expect(vlm.ask(request)).rejects.toThrow(/chat_template.*template: 'USER:/);
    const { usage } = await vlm.ask({ ...request, template: '<image> {question}' });
    expect(usage.keptTokens).toBe(2);
  });

  it('stops loading when it is aborted', async () => {
    const tiny = await buildTinyModel('llava', { directory: vlms.directory });
    await expect(createVlm(tiny.path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const late = new AbortController();
    const loading = createVlm(tiny.path, { signal: late.signal });
    late.abort();
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  });
});
