// What the blocks of guide/agents.md assume.
import type { RawImage } from '@huggingface/transformers';
import type { PruneHandle } from '@mmtok/transformers';

declare const handle: PruneHandle;
declare const inputs: Record<string, unknown>;
declare const image: RawImage;
declare function caption(image: RawImage): Promise<string>;
