// What the blocks of packages/agent/README.md assume.
import type { VlmAgent } from '@mmtok/agent';

declare const agent: VlmAgent;
declare function captioner(image: import('@huggingface/transformers').RawImage): Promise<string>;
