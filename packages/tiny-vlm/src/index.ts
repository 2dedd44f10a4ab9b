// The public surface: where the model lies, how to ask it, questions to ask, and how to score the answers.
export { buildPrompt } from './build-prompt.js';
export { type Accuracy, type EvaluateOptions, type EvaluationReport, evaluate } from './evaluate.js';
export { type LoadTinyVlmOptions, loadTinyVlm, type TinyVlm } from './load-tiny-vlm.js';
export { modelPath } from './model-path.js';
export { heldOut, samples } from './question-sets.js';
export { TinyVlmError, type TinyVlmErrorCode } from './tiny-vlm-error.js';
export { type QuestionKind, questionKinds, type VisualQuestion } from './visual-question.js';
