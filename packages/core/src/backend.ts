// @mmtok/core/backend: for authors of backends, together with the conformance suite in @mmtok/core/testing.

export {
  type Backend,
  checkInputs,
  checkInto,
  type DimLengths,
  defineProgram,
  type Program,
  type ProgramDType,
  type RunOptions,
  type TensorOps,
  type TensorSpec,
  type TensorSpecs,
} from './backend/backend.js';
export { createReferenceBackend, type ReferenceTensor, referenceOps } from './backend/reference-backend.js';
export { elementCount, type Float32Tensor, float32, type HostTensor, widen } from './backend/tensor.js';
export {
  BackendRunError,
  BackendUnavailableError,
  DisposedError,
  InvalidTensorError,
  MmtokError,
  UnsupportedOpError,
} from './errors.js';
