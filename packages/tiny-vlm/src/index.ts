// The public API on every platform: asking the models, sample questions, scoring answers, and drawing scenes.
// For the Node-only part, see node.ts.
export { type Accuracy, type EvaluateOptions, type EvaluationReport, evaluate } from './evaluate.js';
export { buildPrompt, type LoadTinyVlmOptions, loadTinyVlm, type TinyVlm } from './load-tiny-vlm.js';
export type { ModelSize } from './model-size.js';
export { type SamplesOptions, samples } from './samples.js';
export { drawScene } from './scenes/draw-scene.js';
export { signCharacters } from './scenes/glyphs.js';
export {
  type Background,
  type Rgb,
  SCENE_SIZE,
  type Scene,
  type SceneShape,
  type Thing,
  TILED_SCENE_SIZE,
} from './scenes/scene.js';
export { TinyVlmError, type TinyVlmErrorCode } from './tiny-vlm-error.js';
export {
  type QuestionKind,
  questionKinds,
  tiledQuestionKinds,
  type VisualQuestion,
} from './visual-question.js';
