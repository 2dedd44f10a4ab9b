// Published vision encoders by their dimensions, each with the file that states them.

import type { ConvolutionalEncoder, ConvolutionOp, TowerBlock, TowerOp } from './convolution.js';
import type { TransformerEncoder } from './dims.js';

const plain = { gated: false, classToken: false, merge: 1, tiles: 1, projector: [] };

/**
 * CLIP ViT-L/14 at 336 pixels. The projector reads the input of the last of its 24 layers, which exports omit.
 * https://huggingface.co/openai/clip-vit-large-patch14-336/blob/main/config.json
 */
export const clipLarge: TransformerEncoder = {
  ...plain,
  title: 'CLIP-L/14-336',
  hidden: 1024,
  layers: 23,
  heads: 16,
  intermediate: 4096,
  patchValues: 588,
  grid: [24, 24],
  classToken: true,
};

/** SigLIP-B/16 at 512 pixels. https://huggingface.co/google/siglip-base-patch16-512/blob/main/config.json */
export const siglipBase: TransformerEncoder = {
  ...plain,
  title: 'SigLIP-B/16-512',
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  patchValues: 768,
  grid: [32, 32],
};

/** SigLIP-L/16 at 384 pixels. https://huggingface.co/google/siglip-large-patch16-384/blob/main/config.json */
export const siglipLarge: TransformerEncoder = {
  ...plain,
  title: 'SigLIP-L/16-384',
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  patchValues: 768,
  grid: [24, 24],
};

/** SigLIP-SO400M/14 at 384 pixels. https://huggingface.co/google/siglip-so400m-patch14-384/blob/main/config.json */
export const siglipSo400m: TransformerEncoder = {
  ...plain,
  title: 'SigLIP-SO400M/14-384',
  hidden: 1152,
  layers: 27,
  heads: 16,
  intermediate: 4304,
  patchValues: 588,
  grid: [27, 27],
};

/**
 * The tower of Qwen2-VL on an image of 1,792 × 896 pixels: 8,192 patches of 14 pixels in two frames.
 * https://huggingface.co/Qwen/Qwen2-VL-2B-Instruct/blob/main/config.json
 */
export const qwen2Tower: TransformerEncoder = {
  ...plain,
  title: 'Qwen2-VL tower',
  hidden: 1280,
  layers: 32,
  heads: 16,
  intermediate: 5120,
  patchValues: 1176,
  grid: [64, 128],
  merge: 2,
  projector: [5120],
  anySizePatch: 14,
};

/**
 * The tower of Qwen2.5-VL on the same image: windows of 112 pixels in at least three of four layers.
 * https://huggingface.co/Qwen/Qwen2.5-VL-3B-Instruct/blob/main/config.json
 */
export const qwen25Tower: TransformerEncoder = {
  ...qwen2Tower,
  title: 'Qwen2.5-VL tower',
  intermediate: 3420,
  gated: true,
  window: { side: 8, fullEvery: 8 },
};

/**
 * SigLIP-SO400M/14 at 896 pixels, as Gemma 3 uses it: squares of 4 × 4 patches are averaged.
 * https://huggingface.co/google/gemma-3-4b-it/blob/main/config.json
 */
export const siglip896: TransformerEncoder = {
  ...siglipSo400m,
  title: 'SigLIP-SO400M/14-896',
  grid: [64, 64],
  pool: 4,
};

/**
 * The tower of Gemma 4 E2B and E4B (`Gemma4VisionConfig` of transformers 5.24) on an image of 960 × 672 pixels, which becomes
 * as many tokens as its processor allows by default, 280. Squares of 3 × 3 patches are averaged.
 */
export const gemma4Tower: TransformerEncoder = {
  ...plain,
  title: 'Gemma 4 tower',
  hidden: 768,
  layers: 16,
  heads: 12,
  intermediate: 3072,
  gated: true,
  headNorms: true,
  postNorms: true,
  patchValues: 768,
  grid: [42, 60],
  pool: 3,
  anySizePatch: 16,
};

/** The tower of Mistral 3 (`Mistral3Config` of transformers 5.24) on the largest image, 1,540 × 1,540 pixels. */
export const pixtralTower: TransformerEncoder = {
  ...plain,
  title: 'Pixtral tower',
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  gated: true,
  patchValues: 588,
  grid: [110, 110],
  merge: 2,
  anySizePatch: 14,
};

/**
 * The tower of Qwen3-VL-2B and -4B on an image of 1,792 × 896 pixels. DeepStack, which adds features of three earlier layers, is omitted:
 * exports for transformers.js do not have it. https://huggingface.co/Qwen/Qwen3-VL-2B-Instruct/blob/main/config.json
 */
export const qwen3Tower: TransformerEncoder = {
  ...plain,
  title: 'Qwen3-VL tower',
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  patchValues: 1536,
  grid: [56, 112],
  merge: 2,
  projector: [4096],
  anySizePatch: 16,
};

/**
 * The tower of Qwen3.5-0.8B on an image of 1,792 × 896 pixels. Larger models of the family have a wider one.
 * https://huggingface.co/Qwen/Qwen3.5-0.8B/blob/main/config.json
 */
export const qwen35Tower: TransformerEncoder = {
  ...qwen3Tower,
  title: 'Qwen3.5-0.8B tower',
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  projector: [3072],
};

/**
 * The tower of GLM-OCR on an image of 1,792 × 896 pixels, in two frames.
 * https://huggingface.co/zai-org/GLM-OCR/blob/main/config.json
 */
export const glmOcrTower: TransformerEncoder = {
  ...qwen2Tower,
  title: 'GLM-OCR tower',
  hidden: 1024,
  layers: 24,
  intermediate: 4096,
  gated: true,
  headNorms: true,
  projector: [],
  gatedMerger: 4608,
};

// Convolutional towers. Norms and squeeze-and-excitation are omitted.

const conv = (channels: number, kernel: number, more: Partial<ConvolutionOp> = {}): ConvolutionOp => ({
  op: 'conv',
  channels,
  kernel,
  ...more,
});
const depthwise = (channels: number, kernel: number, stride = 1): ConvolutionOp =>
  conv(channels, kernel, { stride, depthwise: true });
/** A feed-forward block from `channels` to `out` with an intermediate width. */
const feedForward = (intermediate: number, out: number): TowerOp[] => [
  conv(intermediate, 1, { gelu: true }),
  conv(out, 1),
];
const residual = (...ops: readonly TowerOp[]): TowerBlock => ({ ops, residual: true });

/** A stage of FastViTHD with convolutions as token mixers. Reparameterized branches are one convolution each. */
const repMixer = (channels: number, blocks: number): TowerBlock[] =>
  Array.from({ length: blocks }, () => [
    { ops: [depthwise(channels, 3)] },
    residual(depthwise(channels, 7), ...feedForward(4 * channels, channels)),
  ]).flat();
/** A stage of FastViTHD with attention. */
const fastVitAttention = (channels: number, blocks: number): TowerBlock[] =>
  Array.from({ length: blocks }, () => [
    residual({ op: 'attention', heads: channels / 32 }),
    residual(depthwise(channels, 7), ...feedForward(4 * channels, channels)),
  ]).flat();
/** Halves the side and doubles the channels. */
const fastVitDownsample = (channels: number): TowerBlock => ({
  ops: [conv(channels, 7, { stride: 2, depthwise: true, gelu: true }), conv(channels, 1, { gelu: true })],
});

/**
 * FastViTHD of FastVLM at 1,024 pixels: `fastvit_mci3` (widths, depths, token mixers) of
 * https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/fastvit.py
 */
export const fastVitHd: ConvolutionalEncoder = {
  title: 'FastViTHD-1024',
  imageSide: 1024,
  tiles: 1,
  stages: [
    [
      {
        ops: [
          conv(96, 3, { stride: 2, gelu: true }),
          conv(96, 3, { stride: 2, depthwise: true, gelu: true }),
          conv(96, 1, { gelu: true }),
        ],
      },
      ...repMixer(96, 2),
    ],
    [fastVitDownsample(192), ...repMixer(192, 12)],
    [fastVitDownsample(384), ...repMixer(384, 24)],
    [fastVitDownsample(768), { ops: [depthwise(768, 7)] }, ...fastVitAttention(768, 4)],
    [fastVitDownsample(1536), { ops: [depthwise(1536, 7)] }, ...fastVitAttention(1536, 2)],
    [{ ops: [conv(3072, 3, { depthwise: true, gelu: true })] }],
  ],
  projector: [],
};

/** A stage of DaViT: attention in windows of 12 × 12 and attention between channels, each followed by a feed-forward block. */
const daVitStage = (channels: number, heads: number, blocks: number, patch: ConvolutionOp): TowerBlock[] => [
  { ops: [patch] },
  ...Array.from({ length: blocks }, () =>
    [
      { op: 'attention', heads, window: 12 } as const,
      { op: 'channelAttention', groups: heads } as const,
    ].flatMap((attention) => [
      residual(depthwise(channels, 3)),
      residual(attention),
      residual(depthwise(channels, 3)),
      residual(...feedForward(4 * channels, channels)),
    ]),
  ).flat(),
];

/**
 * DaViT of Florence-2-base at 768 pixels, without the token that is their average.
 * https://huggingface.co/microsoft/Florence-2-base/blob/main/config.json
 */
export const daVit: ConvolutionalEncoder = {
  title: 'DaViT-B-768',
  imageSide: 768,
  tiles: 1,
  stages: [
    daVitStage(128, 4, 1, conv(128, 7, { stride: 4 })),
    daVitStage(256, 8, 1, conv(256, 3, { stride: 2 })),
    daVitStage(512, 16, 9, conv(512, 3, { stride: 2 })),
    daVitStage(1024, 32, 1, conv(1024, 3, { stride: 2 })),
  ],
  projector: [],
};

/** An inverted bottleneck of MobileNetV5 that keeps the map's shape; without a kernel it is a feed-forward block. */
const bottleneck = (channels: number, expansion: number, kernel?: number): TowerBlock =>
  residual(
    ...(kernel === undefined ? [] : [depthwise(channels, kernel)]),
    ...feedForward(expansion * channels, channels),
  );
/** One that halves the side. */
const halving = (channels: number, out: number, kernel: number): TowerBlock => ({
  ops: [
    depthwise(channels, kernel),
    conv(6 * channels, 1, { gelu: true }),
    conv(6 * channels, 5, { stride: 2, depthwise: true, gelu: true }),
    conv(out, 1),
  ],
});
const mobileAttention = (
  pairs: number,
  channels: number,
  heads: number,
  headDim: number,
  keyStride: number,
): TowerBlock[] =>
  Array.from({ length: pairs }, () => [
    residual({ op: 'sharedAttention', heads, headDim, keyStride }),
    bottleneck(channels, 2),
  ]).flat();

/**
 * MobileNetV5-300M of Gemma 3n at 768 pixels, including its fusion of the last two stages: `mobilenetv5_300m_enc` of
 * https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/mobilenetv5.py
 */
export const mobileNetV5: ConvolutionalEncoder = {
  title: 'MobileNetV5-300M-768',
  imageSide: 768,
  tiles: 1,
  stages: [
    [
      { ops: [conv(64, 3, { stride: 2, gelu: true })] },
      { ops: [conv(256, 3, { stride: 2, gelu: true }), conv(128, 1)] },
      { ...residual(conv(512, 3, { gelu: true }), conv(128, 1)), repeat: 2 },
    ],
    [halving(128, 256, 3), ...[5, 3, 5, 3].map((kernel) => bottleneck(256, 4, kernel))],
    [
      halving(256, 640, 5),
      { ...bottleneck(640, 4, 5), repeat: 7 },
      bottleneck(640, 1),
      ...mobileAttention(14, 640, 12, 64, 2),
    ],
    [halving(640, 1280, 5), ...mobileAttention(19, 1280, 16, 96, 1)],
    [{ ops: [{ op: 'join', stage: 2 }, ...feedForward(3840, 2048), { op: 'pool', side: 3 }] }],
  ],
  projector: [],
};
