export { type ShapesQuestion, shapesTask } from './shapes-task.js';
