// What the blocks of guide/terms-and-selectors.md assume.
import type { PruneHandle, Vlm } from '@mmtok/transformers';

declare const vlm: Vlm;
declare const handle: PruneHandle;
declare const inputs: Record<string, unknown>;
