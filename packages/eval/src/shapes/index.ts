export { type ShapesQuestion, shapesTask } from '../tasks/shapes.js';
