// How the processors of each family of agents want to be called. One entry per family; no model is loaded here.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';

/** What a processor returns, as far as it is read here. */
export interface AgentInputs extends Readonly<Record<string, unknown>> {
  readonly input_ids: Tensor;
}

/** A family of models that can be agents. */
export interface AgentFamily {
  /**
   * Sets the size of pictures on the agent's own processor.
   * @throws InvalidOptionsError if the family has a fixed size and another was asked for.
   */
  setImageSize(processor: Processor, imageSize: number | undefined): void;
  /** The inputs of `generate` for one picture. */
  process(processor: Processor, prompt: string, image: RawImage): Promise<AgentInputs>;
}

/** What image processors that cut pictures into tiles hold. */
interface TiledImageProcessor {
  size: { readonly longest_edge: number };
  do_image_splitting: boolean;
  readonly max_image_size: { readonly longest_edge: number };
}

const tiled: AgentFamily = {
  setImageSize({ image_processor }, imageSize) {
    const images = image_processor as unknown as TiledImageProcessor;
    const tile = images.max_image_size.longest_edge;
    // Also without splitting, the library would first enlarge every picture to the size meant for many tiles.
    images.size = { longest_edge: imageSize ?? tile };
    images.do_image_splitting = (imageSize ?? tile) > tile;
  },
  process: async (processor, prompt, image) => await processor(prompt, [image]),
};

const llava: AgentFamily = {
  setImageSize(_, imageSize) {
    if (imageSize === undefined) return;
    throw new InvalidOptionsError('options of createAgent', [
      `imageSize: got ${imageSize}, but models of type llava take pictures of one size; leave it out`,
    ]);
  },
  process: async (processor, prompt, image) => await processor(image, prompt),
};

const byModelType: Readonly<Record<string, AgentFamily>> = { smolvlm: tiled, idefics3: tiled, llava };

/** The `model_type`s that agents can have. */
export const agentFamilies: readonly string[] = Object.keys(byModelType);

/** The family of a `model_type`, if it can be an agent. */
export function agentFamilyOf(modelType: string): AgentFamily | undefined {
  return Object.hasOwn(byModelType, modelType) ? byModelType[modelType] : undefined;
}
