export { type FirstTokenCosts, firstTokenCosts } from './costs.js';
export type { EncoderDims } from './encoder-dims.js';
export type { SpeedDtype } from './graph-sketch.js';
export { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
export {
  atPicture,
  findModelDims,
  type ModelDims,
  modelDims,
  type ParameterCounts,
  parameterCounts,
  parseModelDims,
} from './model-dims.js';
export type { SpeedResult, SpeedRow, SpeedTimes } from './speed-result.js';
export type { SpeedRuntime, SpeedSession, SpeedTensor } from './speed-runtime.js';
