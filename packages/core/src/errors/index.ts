export { BackendRunError } from './backend-run-error.js';
export { BackendUnavailableError } from './backend-unavailable-error.js';
export { DisposedError } from './disposed-error.js';
export { InvalidBudgetError } from './invalid-budget-error.js';
export { InvalidOptionsError, parseOptions } from './invalid-options-error.js';
export { InvalidTensorError } from './invalid-tensor-error.js';
export { MatrixTooLargeError } from './matrix-too-large-error.js';
export { MmtokError } from './mmtok-error.js';
export { UnsupportedOpError } from './unsupported-op-error.js';
