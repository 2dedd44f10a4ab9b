import { describe, expect, it } from 'vitest';
import { type EncoderDims, parameterCounts, parseModelDims, widthOf } from './dims.js';
import { encoderBytes } from './encoder.js';
import { findModelDims, modelDims } from './presets.js';

/** Weights of a model's encoder and projector. */
function encoderWeights(name: string): number {
  const { encoder, hidden } = findModelDims(name);
  const layers = encoder !== undefined && 'layers' in encoder ? encoder.layers : 0;
  return encoderBytes({ encoder: encoder as EncoderDims, layers, dtype: 'fp32', hidden }) / 4;
}

/** Weights of a model's language model, without a table of embeddings. */
function decoderWeights(name: string): number {
  const { layers, head } = parameterCounts(findModelDims(name));
  return layers + head;
}

// Millions of weights in the published checkpoints, and those of them that are not built here: a table of embeddings that is not
// tied to the head, and what the comment says.
const whole: readonly (readonly [name: string, published: number, notBuilt: number])[] = [
  ['llava-1.5-7b', 7063.4, 131.3],
  ['qwen2-vl-2b', 2209, 0],
  ['qwen2.5-vl-3b', 3754.6, 0],
  ['qwen2.5-vl-7b', 8292.2, 545],
  // DeepStack.
  ['qwen3-vl-2b', 2127.5, 75.5],
  // Multi-token prediction.
  ['qwen3.5-0.8b', 873.4, 20.5],
  ['smolvlm-256m', 256.5, 28.4],
  ['smolvlm-500m', 507.5, 47.3],
  ['paligemma-3b', 2923.5, 0],
  ['phi-3-vision', 4146.6, 98.5],
  ['gemma-3-4b', 4300.1, 0],
  ['ministral-3-3b', 3849.1, 0],
  // From here on, half of the bytes of the files: all have 16 bits a weight. Sizes have three digits.
  // The files lack the tower (290.3). https://huggingface.co/liuhaotian/llava-v1.5-13b/tree/006818fc465ebda4c003c0998674d9141d8d95f8
  ['llava-1.5-13b', 13_045, 164.2 - 290.3],
  // The last layer of CLIP (12.6). https://huggingface.co/liuhaotian/llava-v1.6-vicuna-7b/tree/7e2b5e94d1f4ab2395dc471e0eb2be2e269c9160
  ['llava-next-7b', 7065, 131.3 + 12.6],
  // Likewise. https://huggingface.co/liuhaotian/llava-v1.6-vicuna-13b/tree/385e0c9acd42011728b04a6f424c3ca2246eb1da
  ['llava-next-13b', 13_350, 164.2 + 12.6],
  // https://huggingface.co/lmms-lab/llava-onevision-qwen2-0.5b-ov/blob/be95b3edf36148e3aed9651c048ec503a6dc3843/model.safetensors
  ['llava-onevision-0.5b', 895, 0],
  // https://huggingface.co/mlx-community/SmolVLM-Instruct-bf16/tree/246cd41cd0a7c19c820cab3e24d88cd665dbcad9
  ['smolvlm-2.2b', 2245, 100.9],
  // https://huggingface.co/HuggingFaceM4/Idefics3-8B-Llama3/tree/8ed28d9357bb13359ab9a573e5e2e49e58132f0e
  ['idefics3-8b', 8465, 525.4],
  // https://huggingface.co/LiquidAI/LFM2-VL-450M/tree/main
  ['lfm2-vl-450m', 451, 0],
  // https://huggingface.co/apple/FastVLM-0.5B/tree/main
  ['fastvlm-0.5b', 760, 136.2],
  // BART's decoder (56.7) and positions (1.6). https://huggingface.co/microsoft/Florence-2-base/tree/ceaf371f01ef66192264811b390bccad475a4f02
  ['florence-2-base', 232, 56.7 + 1.6],
  // A fine-tuned copy without multi-token prediction. https://huggingface.co/SimpleCodeAI/glm-ocr-finetuned/tree/main
  ['glm-ocr', 1105, 91.2],
  // https://huggingface.co/vikhyatk/moondream2/commit/b3d72d14957e9965facc14f53dc01c7e3bbe0eec
  ['moondream2', 1857.5, 104.9],
  // As counted for the second version, which has the same dimensions. https://huggingface.co/cstr/lightonocr-GGUF
  ['lighton-ocr-1b', 1006, 0],
  // A copy. The parts that generate images: VQ-VAE (71.9), its projector (4.2), and its head (37.8), as transformers counts them.
  // https://huggingface.co/BarelyFunctionalCode/Janus-Pro-1B/tree/main
  ['janus-pro-1b', 2090, 209.7 + 71.9 + 4.2 + 37.8],
];

// The same for language models alone.
const languageModels: typeof whole = [
  // Embeddings per layer (2013.3) with their projections (47.2), AltUp (25.2), and LAuReL (7.9).
  // https://huggingface.co/igorktech/gemma-3n-E2B-it-language/tree/main
  ['gemma-3n-e2b', 4455, 2013.3 + 47.2 + 25.2 + 7.9],
];

/** No count with three digits was found. */
const unchecked = ['gemma-4-e2b'];

describe('presets', () => {
  it.each(whole)('of %s add up to %d million weights within 2 %', (name, published, notBuilt) => {
    const counted = (decoderWeights(name) + encoderWeights(name)) / 1e6;
    expect(Math.abs(counted / (published - notBuilt) - 1)).toBeLessThan(0.02);
  });

  it.each(languageModels)(
    'of the language model of %s add up to %d million weights within 2 %',
    (name, published, notBuilt) => {
      const counted = decoderWeights(name) / 1e6;
      expect(Math.abs(counted / (published - notBuilt) - 1)).toBeLessThan(0.02);
    },
  );

  it('are compared with checkpoints, except for those that are named', () => {
    const compared = [...whole, ...languageModels].map(([name]) => name);
    expect([...compared, ...unchecked].toSorted()).toEqual(Object.keys(modelDims).toSorted());
  });

  it.each(Object.entries(modelDims))('of %s pass the checks of dimensions from a file', (_, found) => {
    expect(parseModelDims(found)).toEqual(found);
  });

  it('are found by name', () => {
    expect(() => findModelDims('gpt')).toThrow("unknown dimensions 'gpt'; known: llava-1.5-7b");
  });

  // Of the encoders as published, without positions and, for CLIP, the last layer.
  it.each([
    ['llava-1.5-7b', 'CLIP-L/14-336', 576],
    ['llava-next-7b', 'CLIP-L/14-336', 2880],
    ['smolvlm-256m', 'SigLIP-B/16-512', 1088],
    ['smolvlm-2.2b', 'SigLIP-SO400M/14-384', 1377],
    ['idefics3-8b', 'SigLIP-SO400M/14-364', 2873],
    ['llava-onevision-0.5b', 'SigLIP-SO400M/14-384', 3645],
    ['qwen2.5-vl-7b', 'Qwen2.5-VL tower', 2048],
    ['janus-pro-1b', 'SigLIP-L/16-384', 576],
    ['fastvlm-0.5b', 'FastViTHD-1024', 256],
    ['florence-2-base', 'DaViT-B-768', 576],
    ['gemma-3n-e2b', 'MobileNetV5-300M-768', 256],
    ['gemma-3-4b', 'SigLIP-SO400M/14-896', 256],
    ['gemma-4-e2b', 'Gemma 4 tower', 280],
    ['lfm2-vl-450m', 'SigLIP2-B/16-512', 2816],
    ['ministral-3-3b', 'Pixtral tower', 3025],
    ['lighton-ocr-1b', 'Pixtral tower', 3025],
    ['glm-ocr', 'GLM-OCR tower', 2048],
    ['moondream2', 'SigLIP-SO400M/14-378', 729],
    ['qwen3-vl-2b', 'Qwen3-VL tower', 1568],
    ['qwen3.5-0.8b', 'Qwen3.5-0.8B tower', 1568],
  ])('of %s have %s and %d vision tokens', (name, encoder, visionTokens) => {
    expect(findModelDims(name)).toMatchObject({ visionTokens, encoder: { title: encoder } });
  });

  // As published: FastViTHD 125 million, DaViT-B 90, MobileNetV5 300. Norms are not built.
  it.each([
    ['fastvlm-0.5b', 125],
    ['florence-2-base', 90],
    ['gemma-3n-e2b', 300],
  ])('of the encoder of %s add up to about %d million weights', (name, millions) => {
    const { encoder, hidden } = findModelDims(name);
    const projector = [widthOf(encoder as EncoderDims), ...(encoder?.projector ?? []), hidden];
    const own = projector.slice(1).reduce((sum, width, at) => sum + width * (projector[at] as number), 0);
    expect((encoderWeights(name) - own) / 1e6 / millions).toBeGreaterThan(0.95);
    expect((encoderWeights(name) - own) / 1e6 / millions).toBeLessThan(1.05);
  });
});
