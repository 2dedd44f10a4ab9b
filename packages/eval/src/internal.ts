// @mmtok/eval/internal: shared with the command line. Unstable: may change in any release without notice.

export { describeMachine } from './describe-machine.js';
export { type Html, htmlPage, htmlTable } from './report/formats.js';
export { modelOptionsInWords, percent } from './report/tables.js';
