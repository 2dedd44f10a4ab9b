// @mmtok/core/testing: the conformance suite for backends and its data. Needs vitest; for benchmarks without vitest,
// @mmtok/core/testing/features exports the synthetic features alone.

export { type BackendUnderTest, describeBackend } from './describe-backend.js';
export { type OfficialSelection, officialSelections } from './official-selections.js';
export { type FeatureMap, officialInputs, syntheticFeatures, syntheticText } from './synthetic-features.js';
