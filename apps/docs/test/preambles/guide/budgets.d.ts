// What the blocks of guide/budgets.md take for granted.
import type { PruneHandle, Vlm } from '@mmtok/transformers';

declare const vlm: Vlm;
declare const handle: PruneHandle;
declare const inputs: Record<string, unknown>;
