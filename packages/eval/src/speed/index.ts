export type { SpeedDtype } from './decoder-graph.js';
export { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
export {
  findModelDims,
  type ModelDims,
  modelDims,
  type ParameterCounts,
  parameterCounts,
  parseModelDims,
} from './model-dims.js';
export type { SpeedResult, SpeedRow, SpeedTimes } from './speed-result.js';
export type { SpeedRuntime, SpeedSession, SpeedTensor } from './speed-runtime.js';
