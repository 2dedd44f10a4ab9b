// @mmtok/core/testing: the conformance suite for backends, and the data it is made of. Needs vitest.

export { type BackendUnderTest, describeBackend } from './describe-backend.js';
export { type OfficialSelection, officialSelections } from './official-selections.js';
export {
  type FeatureMap,
  mulberry32,
  officialInputs,
  syntheticFeatures,
  syntheticText,
} from './synthetic-features.js';
