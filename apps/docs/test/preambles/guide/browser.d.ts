// What the blocks of guide/browser.md take for granted.
import type { Vlm } from '@mmtok/transformers';

declare const vlm: Vlm;
declare const file: File;
declare const canvas: HTMLCanvasElement;
