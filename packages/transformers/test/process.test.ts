// How processors are called: prompts from conversations, from templates, and finished ones, and errors if they do not match.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import { AutoProcessor, AutoTokenizer, type Processor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastQuestion, withoutPlaceholders } from '../src/families/prompt-text.js';
import { InputError, type ProcessRequest, type PromptMessage, processInputs } from '../src/index.js';
import {
  buildTinyModel,
  type FamilyName,
  families,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'processed-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A processor from `loadVlm`, with another chat template if one is given. */
async function open(
  name: FamilyName,
  chatTemplate?: string,
): Promise<{ readonly tiny: TinyModel; readonly processor: Processor }> {
  const folder = chatTemplate === undefined ? directory : await mkdtemp(join(directory, 'templated-'));
  const tiny = await buildTinyModel(name, { directory: folder });
  if (chatTemplate !== undefined) {
    const file = join(tiny.path, 'tokenizer_config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...config, chat_template: chatTemplate }));
  }
  const offline = { local_files_only: true };
  const processor = await AutoProcessor.from_pretrained(tiny.path, offline);
  if (processor.tokenizer === undefined) {
    const value = await AutoTokenizer.from_pretrained(tiny.path, offline);
    Object.defineProperty(processor, 'tokenizer', { value });
  }
  return { tiny, processor };
}

const parts = (...content: (string | null)[]): PromptMessage => ({
  role: 'user',
  content: content.map((text) => (text === null ? { type: 'image' } : { type: 'text', text })),
});

/** The words of a prompt, without placeholders. */
async function words(processor: Processor, request: ProcessRequest): Promise<string> {
  const { input_ids } = await processInputs(library, processor, request);
  const ids = Array.from(input_ids?.data as BigInt64Array);
  return processor.decode(ids, { skip_special_tokens: false }).replace(/(<[^>]*> ?)+/g, '<> ');
}

describe('a conversation', () => {
  it('is rendered in order, with images in their places', async () => {
    const { tiny, processor } = await open('smolvlm');
    const image = noiseImage(tiny.imageSize);
    const messages: PromptMessage[] = [
      parts(null, 'what is red ? '),
      { role: 'assistant', content: 'a cat ' },
      parts('and', null),
    ];
    const text = await words(processor, { messages, images: [image, image] });
    expect(text).toMatch(/user : <> what is red\? assistant : a cat user : and <>\s+assistant :/);
  });

  it('becomes plain text for templates that need it, with a placeholder for each image', async () => {
    const plain =
      "{% for m in messages %}{{ m['role'] + ' : ' + m['content'] + '\\n' }}{% endfor %}assistant :";
    const { tiny, processor } = await open('llava', plain);
    const image = noiseImage(tiny.imageSize);
    const messages = [parts(null, 'is the cat red ?')];
    expect(await words(processor, { messages, images: [image] })).toMatch(/user : <> is the cat red\?/);
  });

  it('moves the system prompt before the question for templates without a system turn', async () => {
    const strict =
      "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" +
      "{{ m['role'] + ' : ' + m['content'] }}{% endfor %}";
    const { tiny, processor } = await open('llava', strict);
    const messages: PromptMessage[] = [
      { role: 'system', content: 'the dog' },
      parts(null, 'is the cat red ?'),
    ];
    const text = await words(processor, { messages, images: [noiseImage(tiny.imageSize)] });
    expect(text).toMatch(/user : the dog <> is the cat red\?/);
  });

  it('with a template that loses its images is rejected', async () => {
    const { tiny, processor } = await open('llava', 'assistant :');
    const request = { messages: [parts(null, 'is the cat red ?')], images: [noiseImage(tiny.imageSize)] };
    await expect(processInputs(library, processor, request)).rejects.toBeInstanceOf(InputError);
  });

  it('provides the last question', () => {
    expect(lastQuestion([parts('a', null, 'b')])).toBe('ab');
    expect(lastQuestion([])).toBe('');
  });
});

describe('a template', () => {
  it('inserts the question unchanged', async () => {
    const { tiny, processor } = await open('llava');
    const request = {
      messages: [parts('is $& red ?')],
      template: '<image> {question} and {question}',
      images: [noiseImage(tiny.imageSize)],
    };
    const { input_ids } = await processInputs(library, processor, request);
    const prompt = `${'<image>'.repeat(tiny.tokensPerImage)} is $& red ? and is $& red ?`;
    expect(input_ids?.tolist()).toEqual(processor.tokenizer?.(prompt).input_ids.tolist());
  });

  it('works for Janus, as does a finished prompt', async () => {
    const { tiny, processor } = await open('multi_modality');
    const images = [noiseImage(tiny.imageSize)];
    const template = 'user : <image_placeholder> {question} assistant :';
    const one = await processInputs(library, processor, { messages: [parts('a cat')], template, images });
    const prompt = template.replace('{question}', 'a cat');
    const other = await processInputs(library, processor, { prompt, images });
    expect(one.input_ids?.tolist()).toEqual(other.input_ids?.tolist());
    expect(Number(one.images_seq_mask?.to('int64').sum().item())).toBe(tiny.tokensPerImage);
  });

  it('supports only one question', async () => {
    const { processor } = await open('llava');
    const request = { messages: [parts('a'), parts('b')], template: '{question}', images: [] };
    await expect(processInputs(library, processor, request)).rejects.toMatchObject({ code: 'MMTOK_INPUT' });
  });
});

describe('placeholders', () => {
  it.each(['mistral3', 'llava', 'qwen2_vl'] as const)(
    'match the number of vision tokens of several images for %s',
    async (name) => {
      const { tiny, processor } = await open(name);
      const images = [noiseImage(tiny.imageSize), noiseImage(tiny.imageSize, 2)];
      const inputs = await processInputs(library, processor, {
        messages: [parts(null, 'and', null)],
        images,
      });
      const ids = Array.from(inputs.input_ids?.data as BigInt64Array, Number);
      expect(ids.filter((id) => id === tiny.imageTokenId)).toHaveLength(2 * tiny.tokensPerImage);
    },
  );

  it('that do not match the images are rejected', async () => {
    const { tiny, processor } = await open('llava');
    const image = noiseImage(tiny.imageSize);
    const request = { prompt: '<image> and <image>', images: [image] };
    await expect(processInputs(library, processor, request)).rejects.toMatchObject({ code: 'MMTOK_INPUT' });
  });

  it('are counted by the patch size if there is no processor and the configuration has it', async () => {
    const { tiny, processor } = await open('llava_onevision');
    const config = JSON.parse(await readFile(join(tiny.path, 'config.json'), 'utf8')) as Record<
      string,
      object
    >;
    const request = { messages: [parts(null, 'a cat')], images: [noiseImage(tiny.imageSize)], config };
    await expect(processInputs(library, processor, request)).rejects.toMatchObject({ code: 'MMTOK_INPUT' });
    const places = async (more: Partial<ProcessRequest>): Promise<number> => {
      const { input_ids } = await processInputs(library, processor, { ...request, ...more });
      const ids = Array.from(input_ids?.data as BigInt64Array, Number);
      return ids.filter((id) => id === tiny.imageTokenId).length;
    };
    const patch_size = families.llava.config(() => 0).vision_config as object;
    expect(await places({ config: { ...config, vision_config: patch_size } })).toBe(tiny.tokensPerImage);
    expect(await places({ tokensPerImage: async () => 3 })).toBe(3);
  });

  it('are removed from questions that contain them', async () => {
    const { processor } = await open('qwen2_vl');
    expect(withoutPlaceholders(library, processor, 'a <image> b <|image_pad|> c')).toBe('a   b   c');
  });
});
