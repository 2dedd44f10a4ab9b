// The public surface in Node: that of every platform, and what needs a disk.
export { type HeldOutOptions, heldOut } from './held-out.js';
export * from './index.js';
export { modelPath, smallModelPath, tiledModelPath } from './model-path.js';
