export {
  type CandidateGroup,
  type Constraints,
  Eligibility,
} from './eligibility.js';
export { lazyGreedy } from './lazy-greedy.js';
export type { MaximizeRequest, Maximizer } from './maximizer.js';
export { naiveGreedy } from './naive-greedy.js';
export type { Objective } from './objective.js';
export { largestGains } from './optimum-bound.js';
export { type StochasticGreedyOptions, stochasticGreedy } from './stochastic-greedy.js';
