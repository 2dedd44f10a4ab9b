// Statistics over questions: mean differences and retention with paired bootstrap intervals.

export { type BootstrapOptions, type Interval, meanDifference, retention } from './statistics.js';
