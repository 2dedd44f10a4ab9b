// All files with methods. Each exports only methods and the functions that create them.

export * from './agilepruner.js';
export * from './cen-prune.js';
export * from './controls.js';
export * from './dart.js';
export * from './determinantal.js';
export * from './diversity.js';
export * from './facility-location.js';
export * from './ivc.js';
export * from './mmr.js';
export * from './mmtok.js';
export * from './prunesid.js';
export * from './saliency.js';
export * from './stacktok.js';
export * from './svd-leverage.js';
export * from './zspaprune.js';
