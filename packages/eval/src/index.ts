// The public surface of @mmtok/eval: methods, the runner, its report, the embedded benchmark, speed at real
// sizes, statistics, tasks.

export * from './methods/index.js';
export * from './report/index.js';
export * from './runner/index.js';
export * from './speed/index.js';
export * from './stats/index.js';
export * from './tasks/index.js';
