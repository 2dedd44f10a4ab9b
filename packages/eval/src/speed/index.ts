export type { EncoderDims } from './dims.js';
export {
  atPicture,
  type FirstTokenCosts,
  firstTokenCosts,
  type ModelDims,
  type ParameterCounts,
  parameterCounts,
  parseModelDims,
} from './dims.js';
export { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
export { findModelDims, modelDims } from './presets.js';
export type { SpeedResult, SpeedRow, SpeedTimes } from './result.js';
export type { SpeedRuntime, SpeedSession, SpeedTensor } from './runtime.js';
export type { SpeedDtype } from './sketch.js';
