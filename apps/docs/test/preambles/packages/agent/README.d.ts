// What the blocks of packages/agent/README.md assume.
import type { RawImage } from '@huggingface/transformers';
import type { VlmAgent } from '@mmtok/agent';

declare const agent: VlmAgent;
declare function captioner(image: RawImage): Promise<string>;
