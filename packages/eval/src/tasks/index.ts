// The benchmarks, and ways to define your own tasks.

export type { ImageSource } from '../data/folder.js';
export { UnknownFormatError, UnknownTaskError } from '../errors.js';
export { defineTask, summarize, summarizeMean, type TaskDefinition } from './define-task.js';
export { type FolderTaskOptions, folderTask, MATCHES, type Match } from './folder-task.js';
export { getTask, type TaskOptions, taskNames } from './registry.js';
export { SHAPES, type ShapesQuestion, shapesTask } from './shapes.js';
export type {
  Detail,
  LoadOptions,
  PaperColumn,
  Sample,
  Score,
  ScoredAnswer,
  Shard,
  Summary,
  Task,
  TaskSource,
} from './task.js';
