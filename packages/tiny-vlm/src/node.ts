// The public API in Node: the API of every platform, and the parts that need a disk.
export { type HeldOutOptions, heldOut } from './held-out.js';
export * from './index.js';
export { modelPath, smallModelPath, tiledModelPath } from './model-path.js';
