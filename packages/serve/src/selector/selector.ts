// What the engine `vllm` needs: something that encodes images and selects rows.

import { ServeStartError } from '../errors.js';
import type { CheckedImage } from '../images/load.js';
import type { ChatMessage, Overrides } from '../request/chat.js';
import type { PromptCheck } from '../request/prompt-check.js';
import type { Rows } from '../vllm/parts.js';

/** How rows of a family get into a vLLM server's prompt. */
export type WireRoute =
  /** A content part `image_embeds` with any number of rows: LLaVA and similar families. */
  | { readonly part: 'image_embeds' }
  /** The same with a grid, whose positions the server gives to the rows: Qwen-VL. */
  | { readonly part: 'image_embeds'; readonly merge: number }
  /** A content part `prompt_embeds`, with the markers that the family's template puts around an image. */
  | { readonly part: 'prompt_embeds'; readonly before: string; readonly after: string };

/** Options of one selection. */
export interface SelectOptions {
  /** Overrides of this call; `false` returns all rows. */
  readonly overrides: Overrides | false;
  readonly signal: AbortSignal;
}

/** An image as rows. */
export interface SelectedImage {
  /** The kept vision tokens after the projector, in the order of the prompt: `[k, D]`. */
  readonly rows: Rows;
  /** Rows before the selection. */
  readonly visionTokens: number;
  readonly keptTokens: number;
}

/** The images of a request as rows. */
export interface SelectedImages {
  readonly reason: string;
  /** One per image, in their order. */
  readonly images: readonly SelectedImage[];
  readonly coverage?: Readonly<Record<string, number>> | undefined;
  readonly timings: { readonly encodeMs: number; readonly selectMs: number };
}

/** Encodes images and chooses rows, without a language model's decoder. */
export interface VisionSelector {
  readonly modelId: string;
  readonly family: string;
  /** Width of the rows. */
  readonly hiddenSize: number;
  readonly route: WireRoute;
  /** The side, in pixels, of square images that the processor does not resize, where it is known. */
  readonly imageSide?: number | undefined;
  /** Rejects requests whose texts must not reach the upstream server. */
  readonly checkPrompt?: PromptCheck | undefined;
  /** The n-th image part of `messages` is the n-th image. */
  select(
    images: readonly CheckedImage[],
    messages: readonly ChatMessage[],
    options: SelectOptions,
  ): Promise<SelectedImages>;
  dispose(): Promise<void>;
}

// How vLLM 0.32 accepts rows of each family. LLaVA, LLaVA-NeXT, and Qwen2-VL were tested; the others come from reading its code.

/** Why vLLM does not accept kept rows of a model type. */
const REFUSED: readonly (readonly [types: readonly string[], reason: string])[] = [
  [
    ['idefics3', 'smolvlm', 'mistral3', 'lighton_ocr', 'lfm2_vl', 'lfm2-vl'],
    "vLLM derives the number of their vision tokens from the image's size, so it cannot take fewer rows",
  ],
  [['gemma3', 'gemma3n', 'gemma4'], 'vLLM rejects image embeddings of this family'],
  [
    ['qwen3_vl', 'qwen3_5', 'glm_ocr'],
    'vLLM expects features of several layers in its rows, which the vision encoder here does not return',
  ],
  [['phi3_v'], 'its encoder here returns rows in a different form than vLLM expects'],
  [['llava_onevision'], 'transformers.js has no processor for it'],
  [['llava_qwen2', 'moondream1', 'florence2', 'multi_modality'], 'vLLM has no model of this family'],
];

/**
 * The route of a model.
 * @throws ServeStartError for families that cannot be served, saying why.
 */
export function routeOf(config: Readonly<Record<string, unknown>>): WireRoute {
  const type = String(config.model_type);
  if (['llava', 'llava_next', 'paligemma'].includes(type)) return { part: 'image_embeds' };
  if (type === 'qwen2_vl' || type === 'qwen2_5_vl') {
    const vision = config.vision_config as { readonly spatial_merge_size?: number } | undefined;
    return { part: 'image_embeds', merge: vision?.spatial_merge_size ?? 2 };
  }
  const reason =
    REFUSED.find(([types]) => types.includes(type))?.[1] ?? 'this type is unknown or was never tested';
  throw new ServeStartError(
    'data',
    `Models of type '${type}' cannot be sent to vLLM as kept rows: ${reason}. Serve them with the local engine.`,
  );
}
