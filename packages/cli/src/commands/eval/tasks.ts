// Finds the task that a command line names: the embedded benchmark, a public benchmark, or a folder.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type FolderTaskOptions, folderTask, getTask, shapesTask, type Task, taskNames } from '@mmtok/eval';
import { UsageError } from '../../errors.js';

/** The embedded benchmark. */
export const SHAPES = 'shapes';

/**
 * Finds a task: `shapes`, a built-in one by name, or a folder of images with a JSONL file of questions and answers.
 * @param options for a folder.
 * @throws UsageError for a folder that is not written as a path, and for options that the task does not take.
 * @throws UnknownTaskError for anything else.
 */
export async function resolveTask(name: string, cwd: string, options: FolderTaskOptions = {}): Promise<Task> {
  const isPath = /[/\\]|^\.+$/.test(name);
  if (options.match !== undefined && !isPath) {
    throw new UsageError(
      `--match: '${name}' defines how its answers are compared; --match is for your own folder, such as ./my-task.`,
    );
  }
  if (name === SHAPES) {
    const { heldOut } = await import('@mmtok/tiny-vlm');
    return shapesTask(await heldOut()) as Task;
  }
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // A folder must be written as a path, so that a name means the same in every folder.
  if (isFolder && isPath) return folderTask(path, options) as Task;
  if (isFolder && !taskNames.includes(name)) {
    throw new UsageError(`There is no task '${name}'. For the folder of that name, write ./${name}.`);
  }
  return getTask(name);
}
