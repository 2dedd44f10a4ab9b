// What the blocks of guide/browser.md assume.
import type { Vlm } from '@mmtok/transformers';

declare const vlm: Vlm;
declare const file: File;
declare const canvas: HTMLCanvasElement;
