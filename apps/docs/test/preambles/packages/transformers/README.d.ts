// What the blocks of packages/transformers/README.md assume.
import type { PreTrainedModel, Processor, RawImage } from '@huggingface/transformers';
import type { Agent } from '@mmtok/transformers';

declare const model: PreTrainedModel;
declare const processor: Processor;
declare const inputs: Record<string, unknown>;
declare const image: RawImage;
declare const agent: Agent;
