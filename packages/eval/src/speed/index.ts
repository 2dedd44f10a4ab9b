export type { ConvolutionalEncoder, ConvolutionOp, TowerBlock, TowerOp } from './convolution.js';
export {
  atImageSize,
  type EncoderDims,
  type FirstTokenCosts,
  firstTokenCosts,
  type ModelDims,
  type ParameterCounts,
  parameterCounts,
  parseModelDims,
  type TransformerEncoder,
} from './dims.js';
export { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
export type { AttentionMixer, DeltaNetMixer, Mixer, MixerDims, ShortConvMixer } from './mixers.js';
export { findModelDims, modelDims } from './presets.js';
export type { SpeedResult, SpeedRow, SpeedTimes } from './result.js';
export type { SpeedRuntime, SpeedSession, SpeedTensor } from './runtime.js';
export type { SpeedDtype } from './sketch.js';
