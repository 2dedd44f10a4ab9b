// What the blocks of guide/budgets.md assume.
import type { RawImage } from '@huggingface/transformers';
import type { LoadedVlm, PromptMessage, PruneHandle, Vlm } from '@mmtok/transformers';

declare const vlm: Vlm;
declare const handle: PruneHandle;
declare const inputs: Record<string, unknown>;
declare const loaded: LoadedVlm;
declare const photo: RawImage;
declare const messages: readonly PromptMessage[];
