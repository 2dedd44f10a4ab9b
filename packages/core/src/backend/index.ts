export {
  type Backend,
  checkInputs,
  checkInto,
  type DimLengths,
  type RunOptions,
} from './backend.js';
export type { TensorOps } from './ops.js';
export {
  defineProgram,
  type Program,
  type ProgramDType,
  type TensorSpec,
  type TensorSpecs,
} from './program.js';
export {
  elementCount,
  type Float32Tensor,
  float32,
  type HostTensor,
  halfToFloat,
  type MatrixInput,
  toMatrix,
  widen,
} from './tensor.js';
