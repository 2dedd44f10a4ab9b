// What the engine `vllm` needs: something that encodes images and selects rows.

import type { CheckedImage } from '../images/load.js';
import type { ChatMessage, Overrides } from '../request/chat.js';
import type { PromptCheck } from '../request/prompt-check.js';
import type { Rows } from '../vllm/parts.js';

/** How rows of a family get into a vLLM server's prompt. */
export type WireRoute =
  /** A content part `image_embeds` with any number of rows: LLaVA and similar families. */
  | { readonly part: 'image_embeds' }
  /** The same with a grid, on whose positions the server places the rows: Qwen-VL. */
  | { readonly part: 'image_embeds'; readonly merge: number }
  /** A content part `prompt_embeds`, with the marks that the family's template writes around an image. */
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
