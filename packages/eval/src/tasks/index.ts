// The tasks of @mmtok/eval: the benchmarks, and ways to make one of your own.

export { defineTask, type TaskDefinition } from './define-task.js';
export { UnknownFormatError, UnknownTaskError } from './errors.js';
export { type FolderTaskOptions, folderTask, type Match } from './folder-task.js';
export { getTask, type TaskOptions, taskNames } from './registry.js';
export { summarize, summarizeMean } from './summary.js';
export type {
  Fact,
  ImageSource,
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
