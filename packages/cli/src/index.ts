// The public API of mmtok: running a command line, drawing overlays, reading safetensors.

export type { OverlayPanel, TokenView } from './images/overlay.js';
export { type OverlayLayout, renderOverlay } from './images/overlay.js';
export type { RgbImage } from './images/read-image.js';
export { main } from './main.js';
export { SafetensorsFile } from './safetensors.js';
export type { Io, Output } from './terminal/io.js';
