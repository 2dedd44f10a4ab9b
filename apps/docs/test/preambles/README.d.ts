// What the blocks of README.md assume.
import type { PreTrainedModel, Processor } from '@huggingface/transformers';
import type { Agent, Vlm } from '@mmtok/transformers';

declare const createVlm: typeof import('@mmtok/transformers').createVlm;
declare const prune: typeof import('@mmtok/transformers').prune;
declare const vlm: Vlm;
declare const model: PreTrainedModel & string;
declare const processor: Processor;
declare const agent: Agent;
declare const image: string;
declare const question: string;
declare function myIndices(vision: object, tokens: number): number[];
