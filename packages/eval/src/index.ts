// The public surface of @mmtok/eval: methods, the runner, the embedded benchmark, statistics.

export * from './methods/index.js';
export * from './runner/index.js';
export * from './shapes/index.js';
export * from './statistics/index.js';
export type * from './tasks/task.js';
