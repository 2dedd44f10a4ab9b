// Writes the folder of a tiny random model, and loads it with unmodified transformers.js.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutoProcessor, AutoTokenizer, type Message, type RawImage } from '@huggingface/transformers';
import type { DecoderOptions } from './decoder/decoder.js';
import { HIDDEN, VOCABULARY } from './dimensions.js';
import { type FamilyName, families } from './families/index.js';
import type { Build, Family, ModelInputs } from './family.js';
import { GraphBuilder } from './graph/graph-builder.js';
import { createWeights } from './graph/weights.js';
import { tokenizerFiles } from './text/tokenizer-files.js';
import { BOS_ID, EOS_ID, PAD_ID, vocabulary } from './text/vocabulary.js';
import type { LoadedTinyModel, TinyModel, TinyModelOptions } from './tiny-model.js';

/** Builds a model of a family in `options.directory`. The same options give the same bytes. */
export async function buildTinyModel(name: FamilyName, options: TinyModelOptions): Promise<TinyModel> {
  const family: Family = families[name];
  const path = join(options.directory, name);
  const positions = positionsOf(family, options);
  const weights = createWeights(options.seed ?? 1);
  const graphs = new Map<string, GraphBuilder>();
  const build: Build = {
    positions,
    vision: {
      markRows: options.markRows ?? false,
      exposeVisionFeatures: options.exposeVisionFeatures ?? false,
      exposeSaliency: options.exposeSaliency ?? false,
    },
    graph(file) {
      const graph = new GraphBuilder(file, weights);
      graphs.set(file, graph);
      return graph;
    },
  };
  const { visionFeatures } = family.sessions(build);

  await mkdir(join(path, 'onnx'), { recursive: true });
  await Promise.all([
    ...[...graphs].map(([file, graph]) => writeFile(join(path, 'onnx', `${file}.onnx`), graph.bytes())),
    ...Object.entries(jsonFiles(family)).map(([file, content]) =>
      writeFile(join(path, file), JSON.stringify(content, null, 2)),
    ),
    ...(family.chatTemplateIn === 'chat_template.jinja'
      ? [writeFile(join(path, 'chat_template.jinja'), family.chatTemplate)]
      : []),
  ]);

  const imageTokenId = tokenId(family, family.imageToken);
  return {
    family: name,
    path,
    modelClass: family.modelClass,
    imageSize: family.imageSize,
    tokensPerImage: family.tokensPerImage,
    grid: family.grid,
    imageTokenId,
    hiddenSize: HIDDEN,
    vocabularySize: VOCABULARY,
    eosTokenId: EOS_ID,
    positions,
    severalImages: family.severalImages,
    visionFeatures: {
      file: graphs.has('vision_encoder') ? 'vision_encoder' : 'prepare_inputs_embeds',
      tensor: visionFeatures,
      size: family.visionFeatureSize,
      inOrder: family.visionFeaturesInOrder ?? true,
    },
    visualSlots: (inputs) =>
      family.visualSlots?.(inputs, family.tokensPerImage) ?? slotsOf(inputs, BigInt(imageTokenId)),
    load: () => load(family, path),
  };
}

function positionsOf(family: Family, { positionIds = true }: TinyModelOptions): DecoderOptions['positions'] {
  const { positions = 'position_ids' } = family;
  if (positionIds) return positions;
  if (positions === 'mrope') {
    throw new Error(
      `positionIds: false was asked of ${family.name}, but transformers.js cannot generate with its mRoPE models ` +
        'unless the decoder takes position_ids. Use a family without mRoPE.',
    );
  }
  return 'internal';
}

function tokenId(family: Family, token: string): number {
  const id = vocabulary(family.specialTokens).indexOf(token);
  if (id === -1) throw new Error(`'${token}' is no token of ${family.name}; add it to its specialTokens.`);
  return id;
}

function jsonFiles(family: Family): Record<string, unknown> {
  const { chatTemplate, chatTemplateIn = 'tokenizer_config' } = family;
  const special = { pad_token_id: PAD_ID, eos_token_id: EOS_ID, bos_token_id: BOS_ID };
  const template = {
    tokenizer_config: { chatTemplate },
    'tokenizer_config by name': { chatTemplate: [{ name: 'default', template: chatTemplate }] },
    'chat_template.jinja': {},
  }[chatTemplateIn];
  return {
    ...tokenizerFiles({
      specialTokens: family.specialTokens,
      config: family.tokenizerConfig ?? {},
      ...template,
    }),
    'config.json': {
      model_type: family.name,
      architectures: [family.architecture ?? family.modelClass.name],
      ...special,
      ...family.config((token) => tokenId(family, token)),
    },
    'generation_config.json': { ...special, decoder_start_token_id: EOS_ID },
    'preprocessor_config.json': family.preprocessor,
    ...(family.processor && { 'processor_config.json': family.processor }),
  };
}

function slotsOf(inputs: ModelInputs, imageTokenId: bigint): number[] {
  const ids = inputs.input_ids!.data as BigInt64Array;
  return [...ids.keys()].filter((index) => ids[index] === imageTokenId);
}

async function load(family: Family, path: string): Promise<LoadedTinyModel> {
  const offline = { local_files_only: true };
  const [model, processor, tokenizer] = await Promise.all([
    family.modelClass.from_pretrained(path, offline),
    AutoProcessor.from_pretrained(path, offline),
    AutoTokenizer.from_pretrained(path, offline),
  ]);
  return {
    model,
    processor,
    tokenizer,
    inputs(question, images) {
      const messages = typeof question === 'string' ? [ask(question, images)] : question;
      const templates = processor.tokenizer === undefined ? tokenizer : processor;
      const prompt = templates.apply_chat_template(messages, {
        tokenize: false,
        add_generation_prompt: true,
      }) as string;
      return family.process({ processor, tokenizer }, { messages, prompt, images });
    },
    async dispose() {
      await model.dispose();
    },
  };
}

function ask(question: string, images: readonly RawImage[]): Message {
  return {
    role: 'user',
    content: [...images.map(() => ({ type: 'image' as const })), { type: 'text', text: question }],
  };
}
