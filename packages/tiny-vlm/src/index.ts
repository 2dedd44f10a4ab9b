// The public surface: where the models lie, how to ask them, questions to ask and how to score the answers, scenes to draw.
export { buildPrompt } from './build-prompt.js';
export { type Accuracy, type EvaluateOptions, type EvaluationReport, evaluate } from './evaluate.js';
export { type HeldOutOptions, heldOut } from './held-out.js';
export { type LoadTinyVlmOptions, loadTinyVlm, type TinyVlm } from './load-tiny-vlm.js';
export { type ModelSize, modelPath, smallModelPath } from './model-path.js';
export { samples } from './samples.js';
export { drawScene } from './scenes/draw-scene.js';
export {
  type Background,
  type Rgb,
  SCENE_SIZE,
  type Scene,
  type SceneShape,
  type Thing,
} from './scenes/scene.js';
export { TinyVlmError, type TinyVlmErrorCode } from './tiny-vlm-error.js';
export { type QuestionKind, questionKinds, type VisualQuestion } from './visual-question.js';
