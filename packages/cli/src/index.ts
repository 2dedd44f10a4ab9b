// What other programs can use of the command line: running it, and its two tools of general use.

export { type OverlayLayout, renderOverlay } from './images/overlay.js';
export type { Picture } from './images/picture.js';
export { main } from './main.js';
export type { CaptionLine, OverlayPanel, TokenView } from './overlay/overlay.js';
export { SafetensorsFile } from './safetensors/safetensors-file.js';
export type { Io, Output } from './terminal/io.js';
