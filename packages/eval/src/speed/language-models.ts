// Published language models by their dimensions, each with the file that states them.

import type { ModelDims } from './dims.js';
import type { Mixer } from './mixers.js';

/** The dimensions of a model's decoder. */
export type LanguageModel = Omit<ModelDims, 'title' | 'visionTokens' | 'visionWidth' | 'keep' | 'encoder'>;

const plain = { attentionBias: false } as const;

/** https://huggingface.co/llava-hf/llava-1.5-7b-hf/blob/main/config.json */
export const vicuna7b: LanguageModel = {
  ...plain,
  hidden: 4096,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  headDim: 128,
  intermediate: 11008,
  vocabulary: 32064,
};

/** https://huggingface.co/llava-hf/llava-1.5-13b-hf/blob/main/config.json */
export const vicuna13b: LanguageModel = {
  ...vicuna7b,
  hidden: 5120,
  layers: 40,
  heads: 40,
  keyValueHeads: 40,
  intermediate: 13824,
};

/**
 * Qwen2-0.5B, with the vocabulary as exports pad it.
 * https://huggingface.co/llava-hf/llava-onevision-qwen2-0.5b-ov-hf/blob/main/config.json
 */
export const qwen2Small: LanguageModel = {
  hidden: 896,
  layers: 24,
  heads: 14,
  keyValueHeads: 2,
  headDim: 64,
  intermediate: 4864,
  vocabulary: 152000,
  attentionBias: true,
};

/** https://huggingface.co/Qwen/Qwen2-VL-2B-Instruct/blob/main/config.json */
export const qwen2Vl2b: LanguageModel = {
  hidden: 1536,
  layers: 28,
  heads: 12,
  keyValueHeads: 2,
  headDim: 128,
  intermediate: 8960,
  vocabulary: 151936,
  attentionBias: true,
};

/** https://huggingface.co/Qwen/Qwen2.5-VL-3B-Instruct/blob/main/config.json */
export const qwen25Vl3b: LanguageModel = {
  ...qwen2Vl2b,
  hidden: 2048,
  layers: 36,
  heads: 16,
  intermediate: 11008,
};

/** https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct/blob/main/config.json */
export const qwen25Vl7b: LanguageModel = {
  ...qwen2Vl2b,
  hidden: 3584,
  heads: 28,
  keyValueHeads: 4,
  intermediate: 18944,
  vocabulary: 152064,
};

/** https://huggingface.co/Qwen/Qwen3-VL-2B-Instruct/blob/main/config.json */
export const qwen3Vl2b: LanguageModel = {
  ...plain,
  hidden: 2048,
  layers: 28,
  heads: 16,
  keyValueHeads: 8,
  headDim: 128,
  intermediate: 6144,
  vocabulary: 151936,
  headNorms: true,
};

/** Qwen3-0.6B. https://huggingface.co/lightonai/LightOnOCR-1B-1025/blob/main/config.json */
export const qwen3Small: LanguageModel = { ...qwen3Vl2b, hidden: 1024, intermediate: 3072 };

const qwen35Delta: Mixer = {
  mixer: 'deltaNet',
  keyHeads: 16,
  valueHeads: 16,
  keyDim: 128,
  valueDim: 128,
  kernel: 4,
};

/** Attention in every fourth layer. https://huggingface.co/Qwen/Qwen3.5-0.8B/blob/main/config.json */
export const qwen35Small: LanguageModel = {
  ...plain,
  hidden: 1024,
  layers: 24,
  heads: 8,
  keyValueHeads: 2,
  headDim: 256,
  intermediate: 3584,
  vocabulary: 248320,
  headNorms: true,
  outputGate: true,
  mixers: [qwen35Delta, qwen35Delta, qwen35Delta, { mixer: 'attention' }],
};

/** SmolLM2-135M. https://huggingface.co/HuggingFaceTB/SmolVLM-256M-Instruct/blob/main/config.json */
export const smolLm135m: LanguageModel = {
  ...plain,
  hidden: 576,
  layers: 30,
  heads: 9,
  keyValueHeads: 3,
  headDim: 64,
  intermediate: 1536,
  vocabulary: 49280,
};

/** SmolLM2-360M. https://huggingface.co/HuggingFaceTB/SmolVLM-500M-Instruct/blob/main/config.json */
export const smolLm360m: LanguageModel = {
  ...smolLm135m,
  hidden: 960,
  layers: 32,
  heads: 15,
  keyValueHeads: 5,
  intermediate: 2560,
};

/** SmolLM2-1.7B. https://huggingface.co/HuggingFaceTB/SmolVLM-Instruct/blob/main/config.json */
export const smolLm1700m: LanguageModel = {
  ...smolLm135m,
  hidden: 2048,
  layers: 24,
  heads: 32,
  keyValueHeads: 32,
  intermediate: 8192,
};

/** Llama-3.1-8B. https://huggingface.co/HuggingFaceM4/Idefics3-8B-Llama3/blob/main/config.json */
export const llama8b: LanguageModel = {
  ...plain,
  hidden: 4096,
  layers: 32,
  heads: 32,
  keyValueHeads: 8,
  headDim: 128,
  intermediate: 14336,
  vocabulary: 128259,
};

/** https://huggingface.co/google/paligemma-3b-mix-224/blob/main/config.json */
export const gemma2b: LanguageModel = {
  ...plain,
  hidden: 2048,
  layers: 18,
  heads: 8,
  keyValueHeads: 1,
  headDim: 256,
  intermediate: 16384,
  vocabulary: 257216,
};

/** https://huggingface.co/google/gemma-3-4b-it/blob/main/config.json, and `Gemma3TextConfig` of transformers 5.24 */
export const gemma34b: LanguageModel = {
  ...plain,
  hidden: 2560,
  layers: 34,
  heads: 8,
  keyValueHeads: 4,
  headDim: 256,
  intermediate: 10240,
  vocabulary: 262208,
  headNorms: true,
  postNorms: true,
};

/**
 * `Gemma3n_E2B` of https://github.com/google-deepmind/gemma/blob/main/gemma/gm/nn/gemma3n/_gemma3n.py, with the vocabulary of the
 * checkpoint for transformers. Without AltUp, LAuReL, and per-layer embeddings; every layer computes its own keys and values.
 */
export const gemma3nE2b: LanguageModel = {
  ...plain,
  hidden: 2048,
  layers: 30,
  heads: 8,
  keyValueHeads: 2,
  headDim: 256,
  intermediate: 8192,
  vocabulary: 262400,
  headNorms: true,
  postNorms: true,
};

/**
 * `Gemma4TextConfig` of transformers 5.24. 15 layers are 6,144 wide and 20 are 12,288: all have the mean here. All heads are 256
 * wide (512 in every fifth layer of the model), every layer computes its own keys and values, and per-layer embeddings are omitted.
 */
export const gemma4E2b: LanguageModel = {
  ...plain,
  hidden: 1536,
  layers: 35,
  heads: 8,
  keyValueHeads: 1,
  headDim: 256,
  intermediate: 9655,
  vocabulary: 262144,
  headNorms: true,
  postNorms: true,
};

/** https://huggingface.co/microsoft/Phi-3-vision-128k-instruct/blob/main/config.json */
export const phi3Mini: LanguageModel = {
  ...plain,
  hidden: 3072,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  headDim: 96,
  intermediate: 8192,
  vocabulary: 32064,
};

/** Phi-1.5. https://huggingface.co/vikhyatk/moondream2/blob/main/config.py */
export const phi15: LanguageModel = {
  hidden: 2048,
  layers: 24,
  heads: 32,
  keyValueHeads: 32,
  headDim: 64,
  intermediate: 8192,
  gated: false,
  parallel: true,
  vocabulary: 51200,
  attentionBias: true,
  biased: true,
};

/** https://huggingface.co/deepseek-ai/Janus-Pro-1B/blob/main/config.json */
export const deepSeek1b: LanguageModel = {
  ...plain,
  hidden: 2048,
  layers: 24,
  heads: 16,
  keyValueHeads: 16,
  headDim: 128,
  intermediate: 5632,
  vocabulary: 102400,
};

/**
 * The encoder of Florence-2's BART, which reads image and text. The decoder, which reads a single token at first, is omitted, with
 * the keys and values that it computes from the encoder's output: a seventh of the whole.
 * https://huggingface.co/microsoft/Florence-2-base/blob/main/config.json
 */
export const bartBaseEncoder: LanguageModel = {
  hidden: 768,
  layers: 6,
  heads: 12,
  keyValueHeads: 12,
  headDim: 64,
  intermediate: 3072,
  gated: false,
  vocabulary: 51289,
  attentionBias: true,
  biased: true,
};

/** Ten of the 16 layers are short convolutions. https://huggingface.co/LiquidAI/LFM2-VL-450M/blob/main/config.json */
export const lfm2Small: LanguageModel = {
  ...plain,
  hidden: 1024,
  layers: 16,
  heads: 16,
  keyValueHeads: 8,
  headDim: 64,
  intermediate: 4608,
  vocabulary: 65536,
  headNorms: true,
  mixers: Array.from({ length: 16 }, (_, layer) =>
    [2, 5, 8, 10, 12, 14].includes(layer) ? { mixer: 'attention' } : { mixer: 'shortConv', kernel: 3 },
  ),
};

/** Table 1 of https://arxiv.org/abs/2601.08584; vocabulary and heads as in `Ministral3Config` of transformers 5.24. */
export const ministral3b: LanguageModel = {
  ...plain,
  hidden: 3072,
  layers: 26,
  heads: 32,
  keyValueHeads: 8,
  headDim: 128,
  intermediate: 9216,
  vocabulary: 131072,
};

/** Without multi-token prediction. https://huggingface.co/zai-org/GLM-OCR/blob/main/config.json */
export const glmOcrText: LanguageModel = {
  ...plain,
  hidden: 1536,
  layers: 16,
  heads: 16,
  keyValueHeads: 8,
  headDim: 128,
  intermediate: 4608,
  vocabulary: 59392,
  postNorms: true,
};
