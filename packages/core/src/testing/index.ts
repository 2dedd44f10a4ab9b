// @mmtok/core/testing: the conformance suite for backends, and the data it is made of. Needs vitest; where there is none,
// as in a benchmark, @mmtok/core/testing/features has the synthetic features alone.

export { type BackendUnderTest, describeBackend } from './describe-backend.js';
export { type OfficialSelection, officialSelections } from './official-selections.js';
export { type FeatureMap, officialInputs, syntheticFeatures, syntheticText } from './synthetic-features.js';
