// What other programs can use of the command line: running it, and its two tools of general use.

export type { OverlayPanel, TokenView } from './images/overlay.js';
export { type OverlayLayout, renderOverlay } from './images/overlay.js';
export type { Picture } from './images/picture.js';
export { main } from './main.js';
export { SafetensorsFile } from './safetensors.js';
export type { Io, Output } from './terminal/io.js';
