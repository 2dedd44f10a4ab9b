// Everything in @mmtok/eval. The subpaths /methods, /tasks, /metrics, /speed and /stats load less.

export * from './methods/index.js';
export * from './report/index.js';
export * from './runner/index.js';
export * from './speed/index.js';
export * from './stats/index.js';
export * from './tasks/index.js';
